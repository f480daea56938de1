/** The largest number of steps, samples or points: the largest i32, in which backends count. Apart from the schemas, which are slow to load. */
export const largestCount = 2 ** 31 - 1;
