/** Number of costs between two pauses of a computation over rows: a few microseconds of work, compared with which a pause is cheap. */
const stretch = 2 ** 13;

/** Whether a stepwise computation should pause after `row`, counted from 0, with rows of `size` costs. */
export const endsStretch = (row: number, size: number): boolean => (row + 1) % Math.ceil(stretch / size) === 0;
