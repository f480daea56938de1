import type { Tick } from './svg.ts';

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Powers of ten from `low` to `high`, as ticks of a logarithmic axis. */
export function decades(low: number, high: number): Tick[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const count = Math.floor(Math.log10(high) + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => {
    const exponent = first + i;
    const digits = Array.from(String(Math.abs(exponent)), (digit) => superscripts[Number(digit)]).join('');
    return { value: 10 ** exponent, text: `10${exponent < 0 ? '⁻' : ''}${digits}` };
  });
}
