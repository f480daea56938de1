/** What the test has left in a global. */
export function takeFaults(): string[] {
  const place = globalThis as { faults?: string[] };
  const { faults = [] } = place;
  place.faults = [];
  return faults;
}
