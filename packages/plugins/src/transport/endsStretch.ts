/** Costs looked at between two stops of a computation over rows: a few microseconds of work, against which a stop costs little. */
const stretch = 2 ** 13;

/** Whether a stepwise computation is to stop after `row`, counted from 0, of rows of `size` costs. */
export const endsStretch = (row: number, size: number): boolean => (row + 1) % Math.ceil(stretch / size) === 0;
