import type { WebgpuBackend } from '@flow-matching/backend-webgpu';
import { webgpu } from '@flow-matching/backend-webgpu/node';
import * as fm from '@flow-matching/tensor';
import { evaluateGraph, f32, trace, where, type HostArray, type Tensor } from '@flow-matching/tensor';
import { expect } from 'chai';
import { draw, expectClose, numbers } from '../../../test/support/agreement.ts';

// More than 1024 elements: smaller tensors share one buffer and are not updated in place.
const types = {
  x: f32([40, 40]),
  y: f32([40, 40]),
  w: f32([40, 48]),
  row: f32([40]),
  column: f32([40, 1]),
  image: f32([2, 8, 12, 12]),
};
type Given = Readonly<Record<keyof typeof types, Tensor>>;
type Formula = (given: Given) => Readonly<Record<string, Tensor>>;
const y =
  (formula: (given: Given) => Tensor): Formula =>
  (given) => ({ out: formula(given) });

/** What becomes one kernel, and what differs from it in one respect and takes more, or could not be right in one. */
interface Joining {
  readonly joined: Readonly<Record<string, Formula>>;
  readonly apart: Readonly<Record<string, Formula>>;
}

const { softmax, transpose } = fm;
const backwards = (x: Tensor): Tensor => x.slice(1, x.shape[1] - 1, -x.shape[1] - 1, -1);

const joinings: Readonly<Record<string, Joining>> = {
  'a reduction with what uses it row by row': {
    joined: {
      'the quotient by the sum of the row': y(({ x }) => x.div(x.square().sum(1, { keepdims: true }))),
      'softmax of rows': y(({ x }) => softmax(x)),
      'the difference of each row from the mean of a column': y(({ x }) => x.sub(x.mean(0).reshape([40, 1]))),
      'softmax of the transposed': y(({ x }) => softmax(transpose(x))),
      'the difference from the mean, backwards': y(({ x }) => backwards(x).sub(x.mean(1, { keepdims: true }))),
    },
    apart: {
      'softmax of columns': y(({ x }) => softmax(x, 0)),
      'the difference of each column from the mean of a row': y(({ x }) => x.sub(x.mean(1))),
      'the sums of rows in reverse order': y(({ x }) => x.sub(x.mean(1).slice(0, 39, -41, -1).reshape([40, 1]))),
      'the sum of all': y(({ x }) => x.sub(x.mean(1).mean())),
      'the largest of rows and the sum of columns': y(({ x }) => x.max(1).reshape([40, 1]).add(x.sum(0))),
    },
  },
  'a product with what follows from each element': {
    joined: {
      'bias, activation and residual': y(({ x, y: z, row }) => fm.silu(x.matmul(z).add(row)).add(z)),
      'the square of the product': y(({ x, y: z }) => x.matmul(z).square()),
      'a column and the other operand transposed': y(({ x, y: z, column }) =>
        x.matmul(z).mul(column).sub(transpose(z)),
      ),
      'a product of transposed operands with a row': y(({ x, y: z, row }) =>
        transpose(x).matmul(transpose(z)).mul(row),
      ),
      'a part of an operand': y(({ x, w }) =>
        x
          .slice(1, 4, 36)
          .matmul(w.slice(0, 4, 36))
          .add(1),
      ),
    },
    apart: {
      'the product and its transpose': y(({ x, y: z }) => {
        const product = x.matmul(z);
        return product.add(transpose(product));
      }),
      'the gate of another product': y(({ x, y: z }) => x.matmul(z).mul(fm.sigmoid(z.matmul(x)))),
      'the product backwards': y(({ x, y: z }) => {
        const product = x.matmul(z);
        return product.sub(backwards(product));
      }),
      'softmax of the product': y(({ x, w }) => softmax(x.matmul(w))),
      'the sum of each row of the product': y(({ x, w }) => x.matmul(w).sum(1)),
      'a product of the product': y(({ x, y: z, w }) => x.matmul(z).matmul(w)),
      'an operand that is computed': y(({ x, w }) => x.exp().matmul(w)),
    },
  },
  'normalisation of groups': {
    joined: {
      'the activation of a group norm': y(({ image }) => fm.silu(fm.groupNorm(image, 4))),
    },
    apart: {
      'the differences from the means of other channels': y(({ image }) => {
        const mean = image.mean([2, 3], { keepdims: true });
        return image.sub(fm.concat([mean.slice(1, 4, 8), mean.slice(1, 0, 4)], 1));
      }),
    },
  },
  'several outputs of the same rows': {
    joined: {
      'a sum and a difference': ({ x, y: z }) => ({ sum: x.add(z), difference: x.sub(z) }),
      'a row’s sum and its quotients': ({ x }) => {
        const sum = x.square().sum(1, { keepdims: true });
        return { sum, quotient: x.div(sum) };
      },
    },
    apart: {
      'sums of rows and of columns, used by both': ({ x }) => {
        const [rows, columns] = [x.sum(1, { keepdims: true }), x.sum(0, { keepdims: true })];
        return { first: x.mul(rows).add(columns), second: x.mul(columns) };
      },
    },
  },
};

/** An update of x and y whose results take over their buffers, or cannot. */
interface Update {
  readonly formula: (given: Given) => Readonly<Record<'x' | 'y', Tensor>>;
  readonly inPlace: readonly string[];
}

const rate = 0.1;
const updates: Readonly<Record<string, Update>> = {
  'each element from itself': {
    formula: ({ x, y: z }) => ({ x: x.sub(z.mul(rate)), y: z.mul(0.9) }),
    inPlace: ['x', 'y'],
  },
  'Adam’s, the old moment in the parameter': {
    formula: ({ x, y: z, w }) => {
      const moment = z.mul(0.9).add(w.slice(1, 0, 40).mul(0.1));
      return { x: x.sub(moment.div(moment.square().sqrt().add(1e-3)).mul(rate)), y: moment };
    },
    inPlace: ['x', 'y'],
  },
  'the two exchanged': { formula: ({ x, y: z }) => ({ x: z.mul(2), y: x.mul(3) }), inPlace: [] },
  'the transposed': { formula: ({ x, y: z }) => ({ x: transpose(x).mul(2), y: z.add(1) }), inPlace: ['y'] },
  backwards: { formula: ({ x, y: z }) => ({ x: backwards(x).add(z), y: z.add(1) }), inPlace: ['y'] },
  'a neighbour': {
    formula: ({ x, y: z }) => ({ x: fm.concat([x.slice(1, 1, 40), x.slice(1, 0, 1)], 1).sub(x), y: z.neg() }),
    inPlace: ['y'],
  },
  'the quotient by the norm of all': {
    formula: ({ x, y: z }) => ({ x: x.div(x.square().sum().sqrt()), y: z.div(x.square().sum().sqrt()) }),
    inPlace: ['x', 'y'],
  },
  'a product with itself': { formula: ({ x, y: z }) => ({ x: x.matmul(z).add(x), y: z.sub(1) }), inPlace: ['y'] },
  'kept where a gradient is not finite': {
    formula: ({ x, y: z, row }) => {
      const finite = fm.isFinite(row.sum());
      return { x: where(finite, x.sub(z), x), y: where(finite, z.mul(0.5), z) };
    },
    inPlace: ['x', 'y'],
  },
  'kept from the other array': {
    formula: ({ x, y: z, row }) => {
      const positive = fm.less(row.sum(), 0);
      return { x: where(positive, x.sub(1), z), y: where(positive, z.mul(0.5), x) };
    },
    // One kernel reads both before it writes either.
    inPlace: ['x', 'y'],
  },
};

describe('joining', () => {
  let backend: WebgpuBackend;
  before(async () => {
    backend = await webgpu();
  });
  after(() => backend.dispose());

  const next = numbers(5);
  const inputs: Readonly<Record<string, HostArray>> = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, draw(type, [-1, 1], next)]),
  );

  /** Runs on arrays of the backend's, and holds every output to the reference. Returns what was compiled. */
  async function checked(formula: Formula, aliases: readonly (readonly [string, string])[] = []) {
    const graph = trace(formula, types);
    const executable = await backend.compile(graph, { aliases });
    try {
      const expected = evaluateGraph(graph, inputs);
      const given = Object.fromEntries(
        Object.entries(inputs).map(([name, array]) => [name, backend.array(array)] as const),
      );
      const outputs = await executable.run(given);
      for (const [name, array] of Object.entries(outputs)) {
        expectClose(await array.read(), expected[name].data, { absolute: 2e-5, relative: 2e-5 }, name);
        array.dispose();
      }
      for (const [name, array] of Object.entries(given))
        if (!aliases.some(([input]) => input === name)) array.dispose();
      return executable.program;
    } finally {
      await executable.dispose();
    }
  }

  for (const [what, { joined, apart }] of Object.entries(joinings))
    describe(`of ${what}`, () => {
      for (const [name, formula] of Object.entries(joined))
        it(`one kernel computes ${name}, as the reference does`, async () => {
          const { kernels } = await checked(formula);
          expect(kernels.map(({ label }) => label)).to.have.length(1);
        });
      for (const [name, formula] of Object.entries(apart))
        it(`several kernels compute ${name}, as the reference does`, async () => {
          const { kernels } = await checked(formula);
          expect(kernels.length).to.be.greaterThan(1);
        });
    });

  describe('of an update in place', () => {
    for (const [name, { formula, inPlace }] of Object.entries(updates))
      it(`${name}: as the reference has it, over ${inPlace.join(' and ') || 'neither'}`, async () => {
        const { outputs } = await checked(formula, [
          ['x', 'x'],
          ['y', 'y'],
        ]);
        expect(outputs.flatMap(({ name, reuses }) => (reuses === name ? [name] : []))).to.deep.equal(inPlace);
      });
  });
});
