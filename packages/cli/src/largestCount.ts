/**
 * The largest number of steps, samples or points: the largest i32, because backends count in i32. Separate from the schemas,
 * which are slow to load.
 */
export const largestCount = 2 ** 31 - 1;
