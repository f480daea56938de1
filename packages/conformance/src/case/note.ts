/** A quantity that a case reports without a limit: a rate, a time. */
export interface Note {
  readonly quantity: string;
  readonly value: number;
  readonly unit: string;
}

/** The quantity with three digits and its unit: `rate 95.2 GFLOP/s`. */
export function formatNote({ quantity, value, unit }: Note): string {
  const digits = value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return `${quantity} ${digits} ${unit}`;
}
