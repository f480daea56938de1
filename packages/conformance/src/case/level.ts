/** The levels of cases, from the bottom up: a failure at one level explains those above it. */
export const levels = [0, 1, 2, 3, 4, 5, 6] as const;
export type Level = (typeof levels)[number];

export const levelTitles: Readonly<Record<Level, string>> = {
  0: 'Manifest and lifecycle',
  1: 'Operators',
  2: 'Edges',
  3: 'Derivatives',
  4: 'Mathematics',
  5: 'Programs',
  6: 'Speed',
};
