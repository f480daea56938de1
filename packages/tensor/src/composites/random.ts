import { composite, type Composite } from '../graph/composite.ts';
import type { Attributes } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';
import { div, mul, sqrt } from '../operators/arithmetic.ts';
import { less, where } from '../operators/logic.ts';
import { cast, concat, reshape, sliceAxis } from '../operators/movement.ts';
import { randomBits } from '../operators/random.ts';
import { constant } from '../operators/constant.ts';
import { cos, log, sin } from '../operators/transcendental.ts';
import { sizeOf, type Shape } from '../tensor/shape.ts';

interface RandomAttributes extends Attributes {
  readonly shape: Shape;
}

type Draw = (key: Tensor, counter: Tensor, shape: Shape) => Tensor;
const drawOf =
  (call: Composite<RandomAttributes>): Draw =>
  (key, counter, shape) =>
    call([key, counter], { shape: [...shape] })[0];

// The host's counterparts are in random/host.ts: change both together.

/** The leading 24 bits of each word as a fraction: exact in f32, and so is 1 − u. */
export const RandomUniform: Composite<RandomAttributes> = composite<RandomAttributes>(
  'RandomUniform',
  ([key, counter], { shape }) => mul(cast(div(randomBits(key, counter, shape), 256), 'f32'), 2 ** -24),
);

/**
 * Box–Muller: a sample of n elements takes 2⌈n/2⌉ words; the first half gives the radii √(−2 ln(1 − u)), the second half the
 * angles 2πu. The first ⌈n/2⌉ elements are r·cos, the others r·sin.
 */
export const RandomNormal: Composite<RandomAttributes> = composite<RandomAttributes>(
  'RandomNormal',
  ([key, counter], { shape }) => {
    const [samples, size] = [shape[0] ?? 1, sizeOf(shape.slice(1))];
    const half = Math.ceil(size / 2);
    const uniform = randomUniform(key, counter, [samples, 2 * half]);
    const radius = sqrt(log(sliceAxis(uniform, 1, 0, half).neg().add(1)).mul(-2));
    const angle = sliceAxis(uniform, 1, half).mul(2 * Math.PI);
    const normals = concat([mul(radius, cos(angle)), mul(radius, sin(angle))], 1);
    return reshape(sliceAxis(normals, 1, 0, size), shape);
  },
);

/** 1 if the uniform of the same word is below ½, else −1. */
export const RandomSign: Composite<RandomAttributes> = composite<RandomAttributes>(
  'RandomSign',
  ([key, counter], { shape }) => where(less(randomUniform(key, counter, shape), 0.5), constant(1), constant(-1)),
);

/** Uniforms in [0, 1) on a grid of 2⁻²⁴: f32 of `shape`, whose leading axis counts samples, from key u32[2] and counter u32[4]. */
export const randomUniform: Draw = drawOf(RandomUniform);
/** Standard normals: f32 of `shape`, whose leading axis counts samples, from key u32[2] and counter u32[4]. None exceeds 5.77. */
export const randomNormal: Draw = drawOf(RandomNormal);
/** Rademacher variables, ±1 with equal probability: f32 of `shape`, whose leading axis counts samples, from key u32[2] and counter u32[4]. */
export const randomSign: Draw = drawOf(RandomSign);
