import type { OdeState } from '../contracts/solver.ts';
import { type Tensor, constant, and, equal, not, where, reshape } from '@flow-matching/tensor';

/** Control quantities [control] shaped to broadcast against a state component [batch, ...]. */
export const controlAgainst = (control: Tensor, y: Tensor): Tensor =>
  reshape(control, [control.size, ...y.shape.slice(1).map(() => 1)]);

/** Applies a formula to each component of states with the same names. */
export function mapState<Names extends string>(
  formula: (...components: Tensor[]) => Tensor,
  ...states: readonly Readonly<Record<Names, Tensor>>[]
): Record<Names, Tensor> {
  const names = Object.keys(states[0]) as Names[];
  return Object.fromEntries(names.map((name) => [name, formula(...states.map((state) => state[name]))])) as Record<
    Names,
    Tensor
  >;
}

/** `a` where the condition [control] is true, `b` elsewhere, for each component. */
export const selectState = (condition: Tensor, a: OdeState, b: OdeState): Record<string, Tensor> =>
  mapState((x, y) => where(controlAgainst(condition, x), x, y), a, b);

const eventAxes = ({ shape }: Tensor): number[] => shape.slice(1).map((_, i) => i + 1);

/** Bool [batch]: samples with nonzero `mask` that have a NaN or infinite element in any of the states. */
export function brokenRows(mask: Tensor, ...states: readonly OdeState[]): Tensor {
  // x − x is 0 for finite elements and NaN for the others, and so are sums of it.
  const traces = states
    .flatMap((state) => Object.values(state))
    .map((component) => component.sub(component).sum(eventAxes(component)))
    .reduce((sum, trace) => sum.add(trace));
  return and(not(equal(traces, 0)), not(equal(mask, 0)));
}

/** Index [1] i32 of the first true row of a bool [batch], or the number of rows if none is true. */
export function firstRow(rows: Tensor): Tensor {
  const count = rows.size;
  // f32 is exact up to 2²⁴ rows, and backends reduce it fastest.
  const indices = constant(
    Float64Array.from({ length: count }, (_, i) => i),
    'f32',
    [count],
  );
  return where(rows, indices, count).min(0, { keepdims: true }).cast('i32');
}

/**
 * The root mean square over all elements of all components: over the unmasked samples if `perSample` is false ([1]), for each
 * sample if it is true ([batch]).
 */
export function rootMeanSquare(state: OdeState, mask: Tensor, perSample: boolean): Tensor {
  const components = Object.values(state);
  const perRow = components
    .map((component) => component.square().sum(eventAxes(component)))
    .reduce((sum, squares) => sum.add(squares));
  const elements = components.reduce((count, component) => count + component.size / component.shape[0], 0);
  if (perSample) return perRow.div(elements).sqrt();
  // Diverging padding must not count either: 0 times infinity is NaN.
  return where(mask.equal(0), 0, perRow)
    .sum(0, { keepdims: true })
    .div(mask.sum(0, { keepdims: true }).mul(elements))
    .sqrt();
}
