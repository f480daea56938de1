import {
  evaluateGraph,
  Graph,
  input,
  type BackendArray,
  type HostArray,
  type Tensor,
  type TensorType,
} from '@flow-matching/tensor';
import type { CaseContext } from './conformanceCase.ts';
import { claim } from './conformanceError.ts';
import { compareArrays } from './measurement.ts';
import type { Limit } from './limit.ts';

export type Formula = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** A formula's graph; inputs are `x0`, `x1` …, outputs `y0`, `y1` … */
export function graphOf(formula: Formula, types: readonly TensorType[]): Graph {
  const ports = types.map(({ shape, dtype }, i) => ({ name: `x${i}`, tensor: input(`x${i}`, { shape, dtype }) }));
  const outputs = [formula(...ports.map(({ tensor }) => tensor))].flat();
  return new Graph(
    ports,
    outputs.map((tensor, i) => ({ name: `y${i}`, tensor })),
  );
}

const named = (inputs: readonly HostArray[]): Record<string, HostArray> =>
  Object.fromEntries(inputs.map((array, i) => [`x${i}`, array]));

/** The results of a formula on the f64 reference. */
export function referenceOf(formula: Formula, inputs: readonly HostArray[]): HostArray[] {
  const graph = graphOf(formula, inputs);
  const outputs = evaluateGraph(graph, named(inputs));
  return graph.outputs.map(({ name }) => outputs[name]);
}

/** The results of a formula on the backend. Executable and arrays are disposed. */
export async function resultsOf(
  context: CaseContext,
  formula: Formula,
  inputs: readonly HostArray[],
): Promise<HostArray[]> {
  const graph = graphOf(formula, inputs);
  return Object.values(await runGraph(context, graph, named(inputs)));
}

/** A graph's outputs on the backend, in order. Executable and arrays are disposed. */
export async function runGraph(
  { backend }: CaseContext,
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<Record<string, HostArray>> {
  const executable = await backend.compile(graph);
  try {
    const outputs = await executable.run(inputs);
    const results = await Promise.all(graph.outputs.map(({ name }) => taken(outputs[name], name)));
    return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, results[i]]));
  } finally {
    await executable.dispose();
  }
}

async function taken(array: BackendArray | undefined, name: string): Promise<HostArray> {
  claim(array !== undefined, `The run returns no output '${name}'.`);
  const { shape, dtype } = array;
  const data = await array.read();
  array.dispose();
  return { data, shape, dtype };
}

/** Runs a formula on the backend and on the reference, and measures every output. The limit may differ by output. */
export async function measureAgreement(
  context: CaseContext,
  what: string,
  formula: Formula,
  inputs: readonly HostArray[],
  limit: Limit | ((expected: HostArray, output: number) => Limit),
): Promise<void> {
  const expected = referenceOf(formula, inputs);
  const actual = await resultsOf(context, formula, inputs);
  claim(actual.length === expected.length, `${what} has ${actual.length} outputs.`, {
    expected: `${expected.length} outputs`,
  });
  expected.forEach((wanted, i) => {
    const own = typeof limit === 'function' ? limit(wanted, i) : limit;
    const name = expected.length > 1 ? `${what}, output ${i}` : what;
    context.measure(compareArrays(name, actual[i], wanted, own, (index) => inputsAt(inputs, wanted, index)));
  });
}

/** The input elements at an output's index if shapes agree, else all elements of small inputs. */
export function inputsAt(inputs: readonly HostArray[], { data }: HostArray, index: number): string {
  return inputs
    .map((array, i) => {
      if (array.data.length === data.length) return `x${i} = ${array.data[index]}`;
      if (array.data.length <= 8) return `x${i} = [${Array.from(array.data, Number).join(', ')}]`;
      return `x${i}: ${array.dtype}[${array.shape.join(', ')}]`;
    })
    .join(', ');
}
