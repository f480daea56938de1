import { inlineComposites, jvp, substitute, vjp, type HostArray, type Tensor } from '@flow-matching/tensor';
import { graphOf } from '../case/agreement.ts';
import type { Differentiable } from './differentiables.ts';

type Single = Differentiable['formula'];
type Several = (...args: Tensor[]) => Tensor[];

/** (x…, v…) → J·v. */
export const forward =
  (formula: Single): Several =>
  (...args) => {
    const [xs, vs] = halves(args);
    return jvp((...at) => [formula(...at)], xs, vs).tangents;
  };

/** (x…, u) → Jᵀ·u, one array per x. */
export const backward =
  (formula: Single): Several =>
  (...args) =>
    vjp((...at) => [formula(...at)], args.slice(0, -1)).pullback(args.slice(-1));

/** (x…, v…, u) → the derivative of Jᵀ·u along v, forward over reverse. */
export const forwardOverReverse =
  (formula: Single): Several =>
  (...args) => {
    const [xs, vs] = halves(args.slice(0, -1));
    return jvp((...at) => backward(formula)(...at, args.at(-1)!), xs, vs).tangents;
  };

/** (x…, v…, u) → the gradient of ⟨u, J·v⟩, reverse over forward: the same value. */
export const reverseOverForward =
  (formula: Single): Several =>
  (...args) => {
    const [xs, vs] = halves(args.slice(0, -1));
    return vjp((...at) => forward(formula)(...at, ...vs), xs).pullback(args.slice(-1));
  };

/** The formula with decomposed composites, so that none of their rules is used. */
export const decomposed =
  (formula: Single, at: readonly HostArray[]): Single =>
  (...xs) =>
    substitute(inlineComposites(graphOf(formula, at)), xs)[0];

const halves = (args: readonly Tensor[]): [Tensor[], Tensor[]] => [
  args.slice(0, args.length / 2),
  args.slice(args.length / 2),
];
