import {
  apply,
  Conv,
  ConvInputGradient,
  ConvWeightGradient,
  hostArray,
  sizeOf,
  trace,
  type Backend,
  type ConvAttributes,
  type HostArray,
  type Shape,
} from '@flow-matching/tensor';
import { expect } from 'chai';
import { numbers } from './agreement.ts';

/** One convolution: [batch, channels, height, width] by [filters, channels / group, height, width]. */
export interface Convolution extends ConvAttributes {
  readonly x: Shape;
  readonly w: Shape;
}

const plain = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 } as const;

/** Each has numbers of its own for both axes and all four sides, so that no two can be exchanged unseen. */
export const convolutions: Readonly<Record<string, Convolution>> = {
  plain: { ...plain, x: [2, 3, 5, 4], w: [4, 3, 3, 2] },
  'of single elements': { ...plain, x: [2, 3, 4, 5], w: [2, 3, 1, 1] },
  padded: { ...plain, x: [2, 2, 4, 5], w: [3, 2, 3, 4], pads: [1, 2, 0, 3] },
  'padded beyond the kernel': { ...plain, x: [1, 2, 4, 3], w: [2, 2, 2, 3], pads: [3, 0, 2, 4] },
  dilated: { ...plain, x: [2, 2, 7, 9], w: [3, 2, 3, 2], dilations: [2, 3] },
  'dilated and padded': { ...plain, x: [1, 2, 5, 6], w: [2, 2, 2, 3], dilations: [3, 2], pads: [0, 1, 2, 3] },
  strided: { ...plain, x: [2, 2, 7, 8], w: [3, 2, 3, 2], strides: [2, 3] },
  'strided along one axis': { ...plain, x: [1, 2, 5, 8], w: [2, 2, 2, 3], strides: [1, 2] },
  'strided with a rest': { ...plain, x: [1, 2, 8, 9], w: [2, 2, 3, 2], strides: [3, 2], pads: [1, 0, 0, 2] },
  'strided and dilated': {
    ...plain,
    x: [2, 2, 9, 8],
    w: [3, 2, 2, 3],
    strides: [2, 3],
    dilations: [3, 2],
    pads: [0, 2, 1, 1],
  },
  'of groups': { ...plain, x: [2, 4, 5, 4], w: [6, 2, 2, 3], group: 2, pads: [1, 0, 2, 1] },
  'of groups, strided and dilated': {
    ...plain,
    x: [2, 6, 8, 7],
    w: [3, 2, 3, 2],
    group: 3,
    strides: [2, 1],
    dilations: [1, 2],
    pads: [2, 1, 0, 3],
  },
  'of each channel alone': {
    ...plain,
    x: [1, 3, 5, 6],
    w: [6, 1, 3, 3],
    group: 3,
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  },
};

/** Holds a backend to the three convolutions as sums over all places of a kernel, on whole numbers, which have no rounding. */
export async function expectConvolution(backend: Backend, { x, w, ...attributes }: Convolution): Promise<void> {
  const next = numbers(7);
  const drawn = (shape: Shape): HostArray =>
    hostArray(
      Float32Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * 7) - 3),
      shape,
    );
  const types = { shape: [] as Shape, dtype: 'f32' } as const;
  const inputs = { x: drawn(x), w: drawn(w), g: drawn(outputShape({ x, w, ...attributes })) };
  const graph = trace(
    (given) => ({
      y: apply(Conv, [given.x, given.w], attributes)[0],
      gx: apply(ConvInputGradient, [given.g, given.w], { ...attributes, shape: x })[0],
      gw: apply(ConvWeightGradient, [given.x, given.g], { ...attributes, shape: w })[0],
    }),
    { x: { ...types, shape: x }, w: { ...types, shape: w }, g: { ...types, shape: inputs.g.shape } },
  );
  const expected = {
    y: new Float64Array(sizeOf(inputs.g.shape)),
    gx: new Float64Array(sizeOf(x)),
    gw: new Float64Array(sizeOf(w)),
  };
  for (const [i, j, k] of terms({ x, w, ...attributes })) {
    expected.y[k] += inputs.x.data[i] * inputs.w.data[j];
    expected.gx[i] += inputs.g.data[k] * inputs.w.data[j];
    expected.gw[j] += inputs.x.data[i] * inputs.g.data[k];
  }
  const executable = await backend.compile(graph);
  try {
    for (const [name, array] of Object.entries(await executable.run(inputs))) {
      expect(Array.from(await array.read()), name).to.deep.equal(Array.from(expected[name as keyof typeof expected]));
      array.dispose();
    }
  } finally {
    await executable.dispose();
  }
}

function outputShape({ x, w, strides, pads, dilations }: Convolution): Shape {
  const extents = [0, 1].map((axis) => {
    const room = x[axis + 2] + pads[axis] + pads[axis + 2] - dilations[axis] * (w[axis + 2] - 1) - 1;
    return Math.floor(room / strides[axis]) + 1;
  });
  return [x[0], w[0], ...extents];
}

/** The definition: which element of x meets which of w for which of y, as flat positions. Padding adds nothing. */
function* terms(convolution: Convolution): Generator<readonly [x: number, w: number, y: number]> {
  const { x, w, strides, pads, dilations, group } = convolution;
  const [batch, filters, rows, columns] = outputShape(convolution);
  const [, channels, height, width] = x;
  const [, depth, kernelRows, kernelColumns] = w;
  for (let n = 0; n < batch; n++)
    for (let filter = 0; filter < filters; filter++)
      for (let c = 0; c < depth; c++)
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++)
            for (let u = 0; u < kernelRows; u++)
              for (let v = 0; v < kernelColumns; v++) {
                const row = i * strides[0] + u * dilations[0] - pads[0];
                const column = j * strides[1] + v * dilations[1] - pads[1];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const channel = Math.floor(filter / (filters / group)) * depth + c;
                yield [
                  ((n * channels + channel) * height + row) * width + column,
                  ((filter * depth + c) * kernelRows + u) * kernelColumns + v,
                  ((n * filters + filter) * rows + i) * columns + j,
                ];
              }
}
