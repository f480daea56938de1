import {
  compilationKey,
  createReferenceBackend,
  evaluateGraph,
  hostScalar,
  Graph,
  input,
  isFloat,
  isHostArray,
  randomBits,
  rebuild,
  reduceSum,
  reshape,
  rewriteGraph,
  sameShape,
  sizeOf,
  sliceAxis,
  substitute,
  where,
  constant,
  transposeLast,
  apply,
  expand,
  type Backend,
  type BackendArray,
  type CompileOptions,
  type Executable,
  type HostArray,
  type NamedArrays,
  type Node,
  type Rewrite,
  type RunInputs,
  type Tensor,
  type TypedArray,
} from '@flow-matching/tensor';
import { compilingWith } from '../../src/backend/compilingWith.ts';

/** What is wrong with a backend. Everything that no hook speaks of is the reference's. */
export interface Defect {
  readonly name: string;
  /**
   * Replaces nodes before a graph is compiled, composites as well as the primitives inside them: the tensors that stand for the node's
   * outputs, of the same types, given those that stand for its inputs; undefined leaves the node as it is.
   */
  readonly rewrite?: (node: Node, inputs: readonly Tensor[]) => readonly Tensor[] | undefined;
  /**
   * Replaces the elements that the reference computes, by the name of a primitive operator. Floats are f64, of either dtype. A graph
   * with kernels runs twice: on the reference, for its checks and its donations, and node by node.
   */
  readonly kernels?: Readonly<Record<string, BrokenKernel>>;
  /** Wraps the backend last: for what is wrong with handles, executables or the manifest. */
  readonly wrap?: (backend: Backend) => Backend;
}

/** The elements of a node's one output from its inputs. `right` is what they should be: a copy, to be changed in place or not. */
export type BrokenKernel = (node: Node, inputs: readonly HostArray[], right: TypedArray) => TypedArray;

/** The reference backend with something wrong about it: what the suite must catch. */
export function brokenBackend({ name, rewrite, kernels, wrap = (backend) => backend }: Defect): Backend {
  const reference = createReferenceBackend();
  const backend = compilingWith(reference, async (graph, options) => {
    const changed = rewrite ? rewriteGraph(graph, throughComposites(rewrite)) : graph;
    const executable = await reference.compile(changed, options);
    if (!kernels) return { ...delegate(executable), graph };
    const opened = rewriteGraph(
      changed,
      throughComposites(() => undefined),
    );
    return patched(reference, graph, executable, evaluatorOf(opened, kernels), {});
  });
  return wrap({ ...backend, name: `reference with ${name}` });
}

const delegate = (executable: Executable): Omit<Executable, 'graph'> => ({
  run: (inputs) => executable.run(inputs),
  bind: (arrays) => executable.bind(arrays),
  dispose: () => executable.dispose(),
});

/** Asks for a replacement first and opens composites that have none. */
function throughComposites(replace: NonNullable<Defect['rewrite']>): Rewrite {
  const rewrite: Rewrite = (node, inputs) => {
    const replacement = replace(node, inputs);
    if (replacement) return replacement;
    if (!node.operator.body) return rebuild(node, inputs);
    return substitute(node.operator.body(inputs, node.attributes), inputs, rewrite);
  };
  return rewrite;
}

type Evaluator = (inputs: Readonly<Record<string, HostArray>>) => Record<string, HostArray>;

/** Runs a graph of primitives node by node, with kernels in place of the reference's. */
function evaluatorOf(graph: Graph, kernels: Readonly<Record<string, BrokenKernel>>): Evaluator {
  const steps = graph.nodes.filter(({ operator }) => operator.name !== 'Input').map(stepOf);
  return (inputs) => {
    const values = new Map(graph.inputs.map(({ name, tensor }) => [tensor, inputs[name]]));
    for (const { node, alone } of steps) {
      const operands = node.inputs.map((tensor) => values.get(tensor)!);
      const { output } = evaluateGraph(alone, Object.fromEntries(operands.map((operand, i) => [`${i}`, operand])));
      const kernel = kernels[node.operator.name] as BrokenKernel | undefined;
      const widened = operands.map((array) => ({ ...array, data: inDouble(array) }));
      values.set(node.outputs[0], kernel ? { ...output, data: kernel(node, widened, output.data.slice()) } : output);
    }
    return Object.fromEntries(graph.outputs.map(({ name, tensor }) => [name, values.get(tensor)!]));
  };
}

/** A node as a graph of its own. */
function stepOf(node: Node): { node: Node; alone: Graph } {
  const ports = node.inputs.map((tensor, i) => ({ name: `${i}`, tensor: input(`${i}`, tensor) }));
  const [tensor] = apply(
    node.operator,
    ports.map((port) => port.tensor),
    node.attributes,
  );
  return { node, alone: new Graph(ports, [{ name: 'output', tensor }]) };
}

const inDouble = ({ data, dtype }: HostArray): TypedArray =>
  isFloat(dtype) && data instanceof Float32Array ? Float64Array.from(data) : data;

/** An executable of the reference whose results are replaced by the evaluator's. */
function patched(
  backend: Backend,
  graph: Graph,
  executable: Executable,
  evaluate: Evaluator,
  bound: Readonly<Record<string, Promise<HostArray>>>,
): Executable {
  return {
    graph,
    async run(inputs: RunInputs): Promise<Record<string, BackendArray>> {
      // Read before the run, which may donate them.
      const values = { ...bound, ...readAll(inputs) };
      const right = await executable.run(inputs);
      const names = Object.keys(values);
      const read = await Promise.all(Object.values(values));
      const wrong = evaluate(Object.fromEntries(names.map((name, i) => [name, read[i]])));
      for (const array of Object.values(right)) array.dispose();
      return Object.fromEntries(Object.entries(wrong).map(([name, value]) => [name, backend.array(value)]));
    },
    bind: (arrays: NamedArrays) =>
      patched(backend, graph, executable.bind(arrays), evaluate, { ...bound, ...readAll(arrays) }),
    dispose: () => executable.dispose(),
  };
}

/** Copies of arrays, each settled on its own: one that cannot be read is the run's to refuse. */
function readAll(arrays: RunInputs): Record<string, Promise<HostArray>> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const copy = isHostArray(array)
        ? Promise.resolve({ ...array, data: array.data.slice() })
        : array.read().then((data) => ({ data, shape: array.shape, dtype: array.dtype }));
      copy.catch(() => undefined);
      return [name, copy];
    }),
  );
}

const named = (node: Node, name: string): boolean => node.operator.name === name;

/** Adds that broadcast both operands fill the result column by column. */
export const wrongBroadcast: Defect = {
  name: 'an Add that swaps axes where both operands are broadcast',
  rewrite(node, inputs) {
    const { shape } = node.outputs[0];
    if (!named(node, 'Add') || inputs.some((operand) => sameShape(operand.shape, shape))) return undefined;
    return [reshape(transposeLast(rebuild(node, inputs)[0]), shape)];
  },
};

/** Reads the second matrix column by column. */
export const transposedProduct: Defect = {
  name: 'a MatMul that reads its second operand transposed',
  rewrite(node, inputs) {
    if (!named(node, 'MatMul')) return undefined;
    const [a, b] = inputs as [Tensor, Tensor];
    return rebuild(node, [a, reshape(transposeLast(b), b.shape)]);
  },
};

/** Leaves the last element along the last of the reduced axes out of a sum. */
export const shortReduction: Defect = {
  name: 'a ReduceSum that stops one element early',
  rewrite(node, [x]) {
    if (!named(node, 'ReduceSum')) return undefined;
    const { axes, keepdims } = node.attributes as unknown as { axes: readonly number[]; keepdims: boolean };
    const axis = axes[axes.length - 1];
    if (x.shape[axis] < 2) return undefined;
    return [reduceSum(sliceAxis(x, axis, 0, x.shape[axis] - 1), axes, { keepdims })];
  },
};

/** Leaves the last element of large results at 0, as a kernel does whose count of groups was rounded down. */
export const skippedLastElement: Defect = {
  name: 'a Tanh that skips the last of more than 256 elements',
  kernels: {
    Tanh(_, __, right) {
      if (right.length > 256) right[right.length - 1] = 0;
      return right;
    },
  },
};

/** Every sample of a batch draws what the first one draws. */
export const repeatedNoise: Defect = {
  name: 'a RandomBits that does not count samples',
  rewrite(node, [key, counter]) {
    const { shape } = node.outputs[0];
    if (!named(node, 'RandomBits') || shape.length === 0 || shape[0] < 2) return undefined;
    return [expand(randomBits(key, counter, [1, ...shape.slice(1)]), shape)];
  },
};

const compiledBy =
  (compile: (backend: Backend, graph: Graph, options?: CompileOptions) => Promise<Executable>) =>
  (backend: Backend): Backend =>
    compilingWith(backend, (graph, options) => compile(backend, graph, options));

/** Computes outputs one after another, each into its aliased input, which those after it then read. */
export const overwrittenInputs: Defect = {
  name: 'in-place aliasing that reads a new value',
  wrap: compiledBy(async (backend, graph, options) => {
    const whole = await backend.compile(graph, options);
    const aliases = options?.aliases ?? [];
    if (aliases.length < 2) return whole;
    const parts = await Promise.all(graph.outputs.map((output) => backend.compile(new Graph(graph.inputs, [output]))));
    return {
      ...delegate(whole),
      graph,
      async run(inputs) {
        const copies = await Promise.all(Object.values(readAll(inputs)));
        const values = Object.fromEntries(Object.keys(inputs).map((name, i) => [name, copies[i]]));
        for (const array of Object.values(await whole.run(inputs))) array.dispose();
        const results: Record<string, BackendArray> = {};
        for (const [i, { name }] of graph.outputs.entries()) {
          results[name] = (await parts[i].run(values))[name];
          const { shape, dtype } = results[name];
          const target = aliases.find(([, output]) => output === name);
          if (target) values[target[0]] = { data: await results[name].read(), shape, dtype };
        }
        return results;
      },
    };
  }),
};

/** Donated arrays stay as they are. */
export const keptDonations: Defect = {
  name: 'donations that are not taken',
  wrap: compiledBy((backend, graph) => backend.compile(graph)),
};

/** Donated arrays are gone even if the run fails. */
export const donationsLostSilently: Defect = {
  name: 'failed runs that dispose what was donated to them',
  wrap: compiledBy(async (backend, graph, options) => {
    const executable = await backend.compile(graph, options);
    const run: Executable['run'] = async (inputs) => {
      try {
        return await executable.run(inputs);
      } catch (error) {
        for (const [name] of options?.aliases ?? []) {
          const array = inputs[name];
          if (!isHostArray(array)) array.dispose();
        }
        throw error;
      }
    };
    return { ...delegate(executable), graph, run };
  }),
};

/** Executables outlive their disposal. */
export const undisposedExecutables: Defect = {
  name: 'executables that run after they were disposed',
  wrap: compiledBy(async (backend, graph, options) => ({
    ...delegate(await backend.compile(graph, options)),
    graph,
    dispose: async () => undefined,
  })),
};

/** What was compiled ends with the first of its executables that is disposed. */
export const uncountedExecutables: Defect = {
  name: 'executables that end with another one of an equal graph',
  wrap: (backend) => {
    const shared = new Map<string, Promise<Executable>>();
    return compilingWith(backend, (graph, options) => {
      const key = compilationKey(graph, options);
      const executable = shared.get(key) ?? backend.compile(graph, options);
      shared.set(key, executable);
      return executable;
    });
  },
};

/** Arrays stay readable when their backend is disposed. */
export const immortalArrays: Defect = {
  name: 'arrays that outlive their backend',
  wrap: (backend) => ({
    ...compilingWith(backend, (graph, options) => backend.compile(graph, options)),
    array: (source) => createReferenceBackend().array(source),
  }),
};

/** Fuses a product and the sum over axes along which a factor was repeated, as in a vjp, and reads the first of the repetitions only. */
export const forgottenUnbroadcast: Defect = {
  name: 'a vjp that forgets to unbroadcast',
  rewrite(node, [x]) {
    if (!named(node, 'ReduceSum') || node.inputs[0].node?.operator.name !== 'Mul') return undefined;
    const { axes, keepdims } = node.attributes as unknown as { axes: readonly number[]; keepdims: boolean };
    const first = axes.reduce((sliced, axis) => sliceAxis(sliced, axis, 0, 1), x);
    return [reduceSum(first, axes, { keepdims })];
  },
};

/** Updates whole groups of 64 elements, as a kernel does whose count of groups was rounded down. */
export const partialUpdate: Defect = {
  name: 'an AdamUpdate that leaves the elements beyond the last group of 64 as they were',
  rewrite(node, inputs) {
    const { shape } = node.outputs[0];
    const size = sizeOf(shape);
    const whole = size - (size % 64);
    if (!named(node, 'AdamUpdate') || whole === 0 || whole === size) return undefined;
    const reached = Uint8Array.from({ length: size }, (_, i) => Number(i < whole));
    return rebuild(node, inputs).map((updated, i) => where(constant(reached, 'bool', shape), updated, inputs[i]));
  },
};

/** Every binding runs with the arrays of the first. */
export const firstBinding: Defect = {
  name: 'a bind that keeps the first arrays on every later one',
  wrap: compiledBy(async (backend, graph, options) => {
    const executable = await backend.compile(graph, options);
    let first: NamedArrays | undefined;
    return { ...delegate(executable), graph, bind: (arrays) => executable.bind((first ??= arrays)) };
  }),
};

/** Memory of 64 KiB that outlives every compilation. */
export const leakingCompilations: Defect = {
  name: 'a leak of 64 KiB a compilation',
  wrap(backend) {
    const kept: Uint8Array[] = [];
    return compilingWith(backend, (graph, options) => {
      kept.push(new Uint8Array(64 * 1024).fill(kept.length));
      return backend.compile(graph, options);
    });
  },
};

/** A value cut to 11 digits, by Dekker's split in the f64 of the reference. */
const inTensorFloat = (x: Tensor): Tensor => {
  const scaled = x.mul(2 ** 42 + 1);
  return scaled.sub(scaled.sub(x));
};

/** As tensor cores do that are asked for TF32, where a product is large enough for them. */
export const tensorFloats: Defect = {
  name: 'products in TF32 where every extent is 64 or more',
  rewrite(node, inputs) {
    const [rows, columns] = node.outputs[0].shape.slice(-2);
    const isProduct = named(node, 'MatMul') && inputs[0].dtype === 'f32';
    if (!isProduct || Math.min(rows, columns, inputs[0].shape.at(-1)!) < 64) return undefined;
    return rebuild(node, inputs.map(inTensorFloat));
  },
};

/** Two pieces of eight digits, as products in bf16 are put together. */
export const bfloatPieces: Defect = {
  name: 'products of 16 digits where every extent is 64 or more',
  rewrite(node, inputs) {
    const [rows, columns] = node.outputs[0].shape.slice(-2);
    const isProduct = named(node, 'MatMul') && inputs[0].dtype === 'f32';
    if (!isProduct || Math.min(rows, columns, inputs[0].shape.at(-1)!) < 64) return undefined;
    const cut = (x: Tensor): Tensor => {
      const scaled = x.mul(2 ** 37 + 1);
      return scaled.sub(scaled.sub(x));
    };
    return rebuild(node, inputs.map(cut));
  },
};

/** The last term of long sums of products is left out, as by a tile that is not whole. */
export const droppedTerm: Defect = {
  name: 'a MatMul that drops the last of more than 256 terms',
  rewrite(node, [a, b]) {
    if (!named(node, 'MatMul')) return undefined;
    const terms = a.shape.at(-1)!;
    if (terms <= 256) return undefined;
    return rebuild(node, [sliceAxis(a, a.rank - 1, 0, terms - 1), sliceAxis(b, b.rank - 2, 0, terms - 1)]);
  },
};

/** As {@link shortReduction}, of sums that are longer than any that small cases have. */
export const shortLongReduction: Defect = {
  name: 'a ReduceSum that drops the last of more than 8,192 terms',
  rewrite(node, inputs) {
    if (!named(node, 'ReduceSum') || inputs[0].size / Math.max(1, node.outputs[0].size) <= 8192) return undefined;
    return shortReduction.rewrite!(node, inputs);
  },
};

/** The last of many channels is left out of a convolution and of its gradient by the weights. */
export const droppedChannel: Defect = {
  name: 'convolutions that drop the last of more than 32 channels',
  rewrite(node, [x, w]) {
    if (!named(node, 'Conv') || x.shape[1] <= 32) return undefined;
    const channels = x.shape[1];
    return rebuild(node, [sliceAxis(x, 1, 0, channels - 1), sliceAxis(w, 1, 0, channels - 1)]);
  },
};

/** What a kernel leaves whose index has 16 bits. */
export const shortIndex: Defect = {
  name: 'a Mul that stops at 65,536 elements',
  kernels: { Mul: (_, __, right) => (right.length > 65_536 ? right.fill(0, 65_536) : right) },
};

/** Six axes are one more than a kernel knows. */
export const fiveAxes: Defect = {
  name: 'a Transpose that leaves more than five axes as they are',
  kernels: { Transpose: (node, [x], right) => (node.inputs[0].rank > 5 ? x.data : right) },
};

/** Blocks of words begin anew after 2,048 of them. */
export const shortBlockIndex: Defect = {
  name: 'a RandomBits whose blocks are counted in 11 bits',
  kernels: {
    RandomBits(node, _, right) {
      const words = sizeOf(node.outputs[0].shape.slice(1));
      return right.map((word, i) => (i % words < 8192 ? word : right[i - (i % words) + ((i % words) % 8192)]));
    },
  },
};

const throughFloats: BrokenKernel = ({ outputs: [{ dtype }] }, _, right) =>
  dtype === 'i32' || dtype === 'u32' ? right.map(Math.fround) : right;

/** As where a runtime moves floats only. */
export const integersAsFloats: Defect = {
  name: 'integers that are moved as f32',
  kernels: Object.fromEntries(
    'Where Gather Slice Concat Pad Transpose Reshape Expand'.split(' ').map((name) => [name, throughFloats]),
  ),
};

/** Sums pass through f16. */
export const halfSums: Defect = {
  name: 'an Add of f32 that overflows beyond 65,504',
  kernels: {
    Add: ({ outputs: [{ dtype }] }, _, right) =>
      dtype === 'f32' ? right.map((value) => (Math.abs(value) > 65_504 ? value * Infinity : value)) : right,
  },
};

/** As many inputs as a call takes. */
export const sixteenParts: Defect = {
  name: 'a Concat that knows 16 parts',
  rewrite(node, inputs) {
    if (!named(node, 'Concat') || inputs.length <= 16 || inputs[0].dtype !== 'f32') return undefined;
    return rebuild(
      node,
      inputs.map((part, i) => (i < 16 ? part : part.mul(0))),
    );
  },
};

/** Every step of a training draws what the first one does. */
export const oneStepsDraws: Defect = {
  name: 'trainings that draw the same times and noise at every step',
  wrap: compiledBy(async (backend, graph, options) => {
    const executable = await backend.compile(graph, options);
    const run: Executable['run'] = (inputs) =>
      executable.run('seed.step' in inputs ? { ...inputs, 'seed.step': hostScalar(0, 'u32') } : inputs);
    return { ...delegate(executable), graph, run };
  }),
};

/** A training's moving averages stay as they begin: the decay that it is given counts as 1. */
export const frozenAverages: Defect = {
  name: 'averages that stay where they begin',
  wrap: compiledBy(async (backend, graph, options) => {
    const executable = await backend.compile(graph, options);
    const run: Executable['run'] = (inputs) =>
      executable.run('emaDecay' in inputs ? { ...inputs, emaDecay: hostScalar(1) } : inputs);
    return { ...delegate(executable), graph, run };
  }),
};
