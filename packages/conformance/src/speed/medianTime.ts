/** Time budget of one measurement in milliseconds, after an uncounted first run. */
const budget = 200;
const fewest = 3;

/** The median time of `run` in milliseconds. */
export async function medianTime(run: () => Promise<unknown>): Promise<number> {
  await run();
  const times: number[] = [];
  const end = performance.now() + budget;
  do {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  } while (performance.now() < end || times.length < fewest);
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}
