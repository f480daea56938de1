import { DisposedError, DTypeError, GraphError, ShapeError } from '../errors.ts';
import type { Graph, GraphPort } from '../graph/graph.ts';
import type { DType } from '../tensor/dtype.ts';
import type { HostArray } from '../tensor/hostArray.ts';
import { formatShape, formatType, sameShape, sizeOf } from '../tensor/shape.ts';
import type { BackendArray, CompileOptions, NamedArrays, RunInputs } from './backend.ts';

export const isHostArray = (array: BackendArray | HostArray): array is HostArray =>
  'data' in array && ArrayBuffer.isView(array.data);

/**
 * Throws unless `inputs` contains exactly the graph's inputs, with matching types and not disposed, and no donated array is
 * passed for another input too. Every backend must make this check.
 */
export function checkRunInputs(
  ports: readonly GraphPort[],
  inputs: RunInputs,
  aliases: CompileOptions['aliases'] = [],
): void {
  for (const { name, tensor } of ports) {
    // A port may be named like a property of every object.
    const array = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    if (!array) {
      throw new GraphError(`The input '${name}' is missing.`, {
        actual: Object.keys(inputs),
        expected: `inputs ${ports.map((port) => port.name).join(', ')}`,
      });
    }
    checkArray(name, array, tensor);
  }
  const known = new Set(ports.map((port) => port.name));
  const mismatch = Object.keys(inputs).find((name) => !known.has(name));
  if (mismatch !== undefined) {
    throw new GraphError(`There is no input '${mismatch}'.`, {
      actual: mismatch,
      expected: `inputs ${[...known].join(', ')}`,
    });
  }
  for (const [donated] of aliases) {
    const twice = ports.find(({ name }) => name !== donated && inputs[name] === inputs[donated]);
    if (twice) {
      throw new GraphError(`One array is given for '${donated}', which is donated, and for '${twice.name}'.`, {
        actual: [donated, twice.name],
        expected: 'a different array for each donated input',
      });
    }
  }
}

function checkArray(
  name: string,
  array: BackendArray | HostArray,
  type: { shape: readonly number[]; dtype: string },
): void {
  if (!isHostArray(array) && array.disposed) {
    throw new DisposedError(`The array given for '${name}' was disposed or donated.`, {
      actual: name,
      expected: 'an array that is not disposed',
      remedy: 'Use the array that the run returned in its place.',
    });
  }
  if (array.dtype !== type.dtype)
    throw new DTypeError(`The input '${name}' is ${array.dtype}.`, { actual: array.dtype, expected: type.dtype });
  if (!sameShape(array.shape, type.shape)) {
    throw new ShapeError(`The input '${name}' is ${formatType(array)}.`, {
      actual: array.shape,
      expected: formatType(type as GraphPort['tensor']),
    });
  }
  if (isHostArray(array) && array.data.length !== sizeOf(type.shape)) {
    throw new ShapeError(`The input '${name}' holds ${array.data.length} values.`, {
      actual: array.data.length,
      expected: `${sizeOf(type.shape)} values`,
    });
  }
}

/** Throws unless the backend can hold arrays of this dtype. `array` of a backend without some dtypes must make this check. */
export function checkHeld({ dtype }: HostArray, backend: string, held: ReadonlySet<DType>): void {
  if (held.has(dtype)) return;
  throw new DTypeError(`The ${backend} backend has no ${dtype}.`, {
    actual: dtype,
    expected: [...held].join(', '),
    remedy: 'Convert the array, or choose a backend that has the dtype.',
  });
}

/** Throws unless a host array has as many elements as its shape. `array` of every backend must make this check. */
export function checkElements({ data, shape }: HostArray): void {
  if (data.length === sizeOf(shape)) return;
  throw new ShapeError(`${data.length} values do not fill shape ${formatShape(shape)}.`, {
    actual: data.length,
    expected: `${sizeOf(shape)} values`,
  });
}

/** The inputs of a run, including bound arrays. Throws if an input is already bound, and as {@link checkRunInputs} does. */
export function withBound(
  graph: Graph,
  bound: NamedArrays,
  inputs: RunInputs,
  aliases: CompileOptions['aliases'] = [],
): RunInputs {
  const twice = Object.keys(inputs).find((name) => Object.hasOwn(bound, name));
  if (twice !== undefined) {
    throw new GraphError(`The input '${twice}' is bound already.`, {
      actual: twice,
      expected: 'inputs that are not bound',
    });
  }
  const given: RunInputs = { ...bound, ...inputs };
  checkRunInputs(graph.inputs, given, aliases);
  return given;
}

/**
 * Throws unless each of `arrays` may be bound as an input: it is known, not disposed, has the right type, and is neither
 * donated nor bound already.
 */
export function checkBinding(
  graph: Graph,
  arrays: NamedArrays,
  aliases: CompileOptions['aliases'] = [],
  bound: NamedArrays = {},
): void {
  for (const name of Object.keys(arrays)) {
    const donated = aliases.some(([input]) => input === name);
    if (donated || Object.hasOwn(bound, name)) {
      throw new GraphError(`The input '${name}' is ${donated ? 'donated to an output' : 'bound already'}.`, {
        actual: name,
        expected: 'inputs that are neither bound nor aliased',
      });
    }
    checkArray(name, arrays[name], graph.input(name));
  }
}

/** Throws unless every alias names an input and an output of one type, each once. */
export function checkAliases(graph: Graph, { aliases = [] }: CompileOptions): void {
  const used = new Set<string>();
  for (const [input, output] of aliases) {
    const from = graph.input(input);
    const to = graph.output(output);
    if (from.dtype !== to.dtype || !sameShape(from.shape, to.shape)) {
      throw new GraphError(`The alias of '${input}' and '${output}' joins ${formatType(from)} and ${formatType(to)}.`, {
        expected: 'an input and an output of one type',
      });
    }
    for (const key of [`input ${input}`, `output ${output}`]) {
      if (used.has(key))
        throw new GraphError(`The ${key} is aliased twice.`, { actual: key, expected: 'each name in one alias' });
      used.add(key);
    }
  }
}
