import { Graph, input, isFloat, type DType, type HostArray } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../../case/conformanceCase.ts';
import { claim } from '../../case/conformanceError.ts';
import { runGraph } from '../../case/agreement.ts';
import { close, exact, ulps, type Limit } from '../../case/limit.ts';
import { compareArrays } from '../../case/measurement.ts';
import { largestOf } from '../accuracy.ts';
import { appliedNodeCases } from './appliedNodeCases.generated.ts';
import { convertNodeCase } from './convertNodeCase.ts';
import { onnxNodeCases, type OnnxNodeCase } from './onnxNodeCase.ts';

/** The ONNX project's node tests, for operators that can be written with ours: they test attributes and broadcasting as ONNX defines them. */
export const nodeCases = (): readonly ConformanceCase[] =>
  appliedNodeCases.map(([op, dtype, name]) => ({
    id: `L1/${op}/${dtype}/ONNX ${name}`,
    level: 1,
    dtype,
    claim: `ONNX's node test test_${name} holds`,
    run: (context) => measureNodeCase(context, name),
  }));

async function measureNodeCase(context: CaseContext, name: string): Promise<void> {
  const node = (await onnxNodeCases()).find((candidate) => candidate.name === name);
  claim(node !== undefined, `There is no node test ${name}.`);
  const { graph, inputs } = nodeGraph(node);
  const results = await runGraph(context, graph, inputs);
  node.outputs.forEach((expected, i) => {
    context.measure(compareArrays(`output ${i} of ${name}`, results[`${i}`], expected, limitOf(node, expected)));
  });
}

/** A case in our operators. Inputs are named by position; those that are attributes in our operators, such as axes, have no port. */
export function nodeGraph(node: OnnxNodeCase): { graph: Graph; inputs: Record<string, HostArray> } {
  const tensors = node.inputs.map((given, i) => (given ? input(`${i}`, given) : undefined));
  const outputs = convertNodeCase(node, tensors).map((tensor, i) => ({ name: `${i}`, tensor }));
  const ports = tensors.flatMap((tensor, i) => (tensor ? [{ name: `${i}`, tensor }] : []));
  const needed = new Set(new Graph(ports, outputs).nodes);
  const fed = ports.filter(({ tensor }) => needed.has(tensor.node));
  return {
    graph: new Graph(fed, outputs),
    inputs: Object.fromEntries(fed.map(({ name }) => [name, node.inputs[Number(name)]!])),
  };
}

/** Operators that select or move elements. */
const exactOperators: ReadonlySet<string> = new Set(
  (
    'Abs Clip Ceil Concat Constant ConstantOfShape Expand Floor Gather Identity Max Min Neg Pad ReduceMax ReduceMin Relu ' +
    'Reshape Resize Sign Slice Split Squeeze Tile Transpose Unsqueeze Where'
  ).split(' '),
);
/** Operators that round once. */
const roundedOnce: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul']);

/** One case has expected values with only four digits. */
const roughCase = 'averagepool_2d_ceil_last_window_starts_on_pad';

/** NumPy computed the cases in f32: some hundred round-offs of the largest element, less than ONNX's own 10⁻³. */
function limitOf({ op, name }: OnnxNodeCase, expected: HostArray): Limit {
  const dtype: DType = expected.dtype;
  if (!isFloat(dtype) || exactOperators.has(op)) return exact;
  // A backend that computes in f64 does not round.
  if (roundedOnce.has(op)) return ulps(0.5);
  if (name === roughCase) return close(0, 1e-3, 'written down to four digits');
  return close(1e-6 * finiteMost(expected), 1e-5, 'NumPy computed the case in f32, as the backend does');
}

/** The largest finite magnitude. */
const finiteMost = ({ data, ...type }: HostArray): number => largestOf({ ...type, data: data.filter(Number.isFinite) });
