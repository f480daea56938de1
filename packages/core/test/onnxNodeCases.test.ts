import { assert } from 'chai';
import { Graph, input } from '../src/graph/graph.ts';
import { evaluateGraph } from '../src/reference/evaluateGraph.ts';
import { formatType } from '../src/tensor/shape.ts';
import { convert, onnxNodeCases, refusal, toHost, type OnnxCase } from './support/onnxNodeCases.ts';

/** Relative error allowed: the rounding of the f32 that the cases were computed in, but for one that was written down to four digits. */
const tolerance = ({ name }: OnnxCase): number =>
  name === 'test_averagepool_2d_ceil_last_window_starts_on_pad' ? 1e-3 : 1e-5;

/** The graph of a case, its inputs named by position; inputs left out have no port. */
function graphOf(node: OnnxCase): Graph {
  const ports = node.inputs.flatMap((given, i) =>
    given ? [{ name: `${i}`, tensor: input(`${i}`, toHost(given)) }] : [],
  );
  const tensors = node.inputs.map((given, i) =>
    given ? ports.find(({ name }) => name === `${i}`)!.tensor : undefined,
  );
  return new Graph(
    ports,
    convert(node, tensors).map((tensor, i) => ({ name: `${i}`, tensor })),
  );
}

describe('ONNX node cases on the reference', () => {
  const cases = onnxNodeCases();
  const applied = cases.filter((node) => refusal(node) === undefined);

  it('leaves out these and no others', () => {
    const reasons: Record<string, number> = {};
    for (const node of cases) {
      const reason = refusal(node);
      if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    assert.deepEqual(reasons, {
      'an extremum over no elements is refused, and so is one of booleans': 5,
      'attention does not hand out its scores': 5,
      'attention has no soft cap': 10,
      'attention has no window': 5,
      'images have two spatial axes': 2,
      'indices name slices, not single elements': 3,
      'keys are masked by a mask, not by counts': 9,
      'only repeated addition scatters': 6,
      'padding is constant': 3,
      'resizing is nearest, by whole factors, upwards': 36,
      'shapes are static: there is no operator that asks for one': 11,
      'there is no cumulative sum': 2,
    });
    assert.lengthOf(cases, 480);
    assert.lengthOf(applied, 383);
  });

  for (const op of new Set(applied.map((node) => node.op))) {
    const own = applied.filter((node) => node.op === op);
    it(`${op} (${own.length})`, () => {
      for (const node of own) {
        const inputs = Object.fromEntries(node.inputs.flatMap((given, i) => (given ? [[`${i}`, toHost(given)]] : [])));
        const outputs = evaluateGraph(graphOf(node), inputs);
        node.outputs.forEach((wanted, i) => {
          const [expected, actual] = [toHost(wanted), outputs[`${i}`]];
          assert.equal(formatType(actual), formatType(expected), `${node.name} output ${i}`);
          expected.data.forEach((value, j) => {
            const close =
              Object.is(value, actual.data[j]) ||
              Math.abs(value - actual.data[j]) <= 1e-6 + tolerance(node) * Math.abs(value);
            assert.isTrue(close, `${node.name} output ${i}[${j}]: ${actual.data[j]}, expected ${value}`);
          });
        });
      }
    });
  }
});
