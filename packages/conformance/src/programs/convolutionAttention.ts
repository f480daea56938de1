import { type VectorFieldModel } from '@flow-matching/core';
import {
  concat,
  conv2d,
  groupNorm,
  scaledDotProductAttention,
  silu,
  upsampleNearest2d,
  type HostArray,
  type Shape,
  type Tensor,
} from '@flow-matching/tensor';

const channels = 8;

/** Shapes of the parameters for images with `colours` channels and 3 features of the time. */
const shapesFor = (colours: number) =>
  ({
    timeWeight: [3, channels],
    inWeight: [channels, colours, 3, 3],
    inBias: [channels],
    normScale: [channels],
    normBias: [channels],
    query: [channels, channels],
    key: [channels, channels],
    value: [channels, channels],
    joined: [channels, channels],
    downWeight: [channels, channels, 3, 3],
    downBias: [channels],
    outWeight: [colours, channels, 3, 3],
    outBias: [colours],
  }) as const satisfies Record<string, Shape>;

type Parameters<Leaf> = { readonly [Name in keyof ReturnType<typeof shapesFor>]: Leaf };

/**
 * A small U-Net for images [batch, colours, height, width] with even sides: a convolution, group normalization, attention
 * between all pixels, a strided convolution and back up, with the usual operations between layers.
 */
export const convolutionAttention: VectorFieldModel<Parameters<HostArray>, Parameters<Tensor>> = {
  name: 'convolution-attention',
  init(random, { shape: [colours] }) {
    const draw = (name: string, shape: Shape): HostArray => {
      const drawn = random.normal(shape, 0.3);
      return name === 'normScale' ? { ...drawn, data: drawn.data.map((value) => 1 + value) } : drawn;
    };
    const entries = Object.entries(shapesFor(colours)).map(([name, shape]) => [name, draw(name, shape)] as const);
    return Object.fromEntries(entries) as unknown as Parameters<HostArray>;
  },
  apply(parameters, { t, x }) {
    const [batch, , height, width] = x.shape;
    const phase = t.reshape([batch, 1]).mul(2 * Math.PI);
    const time = concat([t.reshape([batch, 1]), phase.sin(), phase.cos()], 1).matmul(parameters.timeWeight);
    const entered = conv2d(x, parameters.inWeight, { padding: 1, bias: parameters.inBias }).add(
      time.reshape([batch, channels, 1, 1]),
    );
    const { normScale: scale, normBias: bias } = parameters;
    const normalized = silu(groupNorm(entered, 2, { scale, bias }));
    const pixels = normalized.reshape([batch, channels, height * width]).transpose([0, 2, 1]);
    const head = (weight: Tensor): Tensor => pixels.matmul(weight).reshape([batch, 1, height * width, channels]);
    const attended = scaledDotProductAttention(head(parameters.query), head(parameters.key), head(parameters.value));
    const mixed = attended.reshape([batch, height * width, channels]).matmul(parameters.joined);
    const residual = entered.add(mixed.transpose([0, 2, 1]).reshape(entered.shape));
    const halved = silu(conv2d(residual, parameters.downWeight, { stride: 2, padding: 1, bias: parameters.downBias }));
    const joined = upsampleNearest2d(halved, 2).add(residual);
    return conv2d(joined, parameters.outWeight, { padding: 1, bias: parameters.outBias });
  },
};
