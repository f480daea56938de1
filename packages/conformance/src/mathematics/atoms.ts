import { conditionalField, conditionalFlow, conditionalLogDensity, type Path } from '@flow-matching/core';
import { concat, expand, logSumExp, reshape, softmax, type HostRandomStream, type Tensor } from '@flow-matching/tensor';
import type { Arrays } from './evaluate.ts';
import type { PathTrial } from './pathSamples.ts';

/**
 * Data of a few points (pairs of points, on a two-sided path), equally likely: under any path its marginal p_t = Σ p_t(x | z_k)/K
 * and the field u_t(x) = Σ u_t(x | z_k)·p_t(x | z_k) / Σ p_t(x | z_k) (Lipman et al. 2023, equations 6 and 8) are sums.
 */
export const atomCount = 3;

/** `atoms1` and, on a two-sided path, `atoms0`: [rows, atoms·…event's first extent, …] flattened to [rows, atoms·size]; the same atoms in all rows. */
export function drawAtoms({ path, shape, dataScale }: PathTrial, random: HostRandomStream, rows: number): Arrays {
  const width = shape.reduce((product, extent) => product * extent, 1);
  const repeated = (data: ArrayLike<number>): Float32Array =>
    Float32Array.from({ length: rows * atomCount * width }, (_, i) => data[i % (atomCount * width)]);
  const draw = () => ({
    data: repeated(random.normal([atomCount, width], dataScale).data),
    shape: [rows, atomCount * width],
    dtype: 'f32' as const,
  });
  return { atoms1: draw(), ...(path.sides === 'two' && { atoms0: draw() }) };
}

/** One atom, [rows, ...event]. */
function atom(atoms: Tensor, k: number, x: Tensor): Tensor {
  const width = x.size / x.shape[0];
  return reshape(atoms.slice(1, k * width, (k + 1) * width), x.shape);
}

type Atoms = Readonly<Record<string, Tensor>>;

/** The k-th atom as a path's formulas take it, each [rows, ...event]. */
export const atomEndpoints = ({ atoms1, atoms0 }: Atoms, k: number, x: Tensor) => ({
  x1: atom(atoms1, k, x),
  ...(atoms0 && { x0: atom(atoms0, k, x) }),
});

export const atomIndices: readonly number[] = Array.from({ length: atomCount }, (_, k) => k);

/** log p_t(x | z_k), [rows, atoms]. */
const logDensities = (path: Path, t: Tensor, x: Tensor, atoms: Atoms): Tensor =>
  concat(
    atomIndices.map((k) => reshape(conditionalLogDensity(path, t, x, atomEndpoints(atoms, k, x)), [x.shape[0], 1])),
    1,
  );

/** log p_t(x) of the atoms, [rows]. */
export const atomsLogDensity = (path: Path, t: Tensor, x: Tensor, atoms: Atoms): Tensor =>
  logSumExp(logDensities(path, t, x, atoms), [1]).sub(Math.log(atomCount));

/** Σ f(k)·p_t(z_k | x) of values [rows, …] for each atom: their mean under the posterior at x. */
export function posteriorMean(path: Path, t: Tensor, x: Tensor, atoms: Atoms, valueOf: (k: number) => Tensor): Tensor {
  const weights = softmax(logDensities(path, t, x, atoms), 1);
  return atomIndices
    .map((k) => {
      const value = valueOf(k);
      return value.mul(
        expand(reshape(weights.slice(1, k, k + 1), [x.shape[0], ...value.shape.slice(1).map(() => 1)]), value.shape),
      );
    })
    .reduce((sum, term) => sum.add(term));
}

/** u_t(x) of the atoms, [rows, ...event], from the path's own conditional field. */
export const atomsField = (path: Path, t: Tensor, x: Tensor, atoms: Atoms): Tensor =>
  posteriorMean(path, t, x, atoms, (k) => conditionalField(path, t, x, atomEndpoints(atoms, k, x)));

/** ψ_t(noise) and its velocity, conditioned on the atom that `turn` selects for each row, [rows, ...event]. */
export function atomsFlow(path: Path, t: Tensor, noise: Tensor, atoms: Atoms, turn: Tensor) {
  const mine = (name: 'atoms1' | 'atoms0'): Tensor =>
    atomIndices
      .map((k) =>
        atom(atoms[name], k, noise).mul(
          reshape(turn.equal(k).cast('f32'), [noise.shape[0], ...noise.shape.slice(1).map(() => 1)]),
        ),
      )
      .reduce((sum, term) => sum.add(term));
  return conditionalFlow(path, t, { x1: mine('atoms1'), ...(atoms['atoms0'] && { x0: mine('atoms0') }) }, noise);
}
