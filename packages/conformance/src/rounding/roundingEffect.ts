import { evaluateGraph, isFloat, type Graph, type HostArray, type HostRandomStream } from '@flow-matching/tensor';
import { largestDeviation } from './largestDeviation.ts';
import { roundings, withRoundings } from './withRoundings.ts';

/**
 * How far roundings move a graph's outputs: the largest deviation of each element over evaluations in f64 in which every input, and every
 * result of a primitive operator that rounds, is off by a unit round-off of f32 up or down at random. It sees the conditioning of
 * everything between inputs and outputs; a sum's own roundings are as those of its terms.
 */
export function roundingEffect(
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
  random: HostRandomStream,
): Promise<Record<string, Float64Array>> {
  return largestDeviation(evaluateGraph(graph, inputs), async () => {
    const moved = Object.entries(inputs).map(([name, array]) => [name, multiplied(array, random)] as const);
    return evaluateGraph(withRoundings(graph, random), Object.fromEntries(moved));
  });
}

function multiplied({ data, shape, dtype }: HostArray, random: HostRandomStream): HostArray {
  if (!isFloat(dtype)) return { data, shape, dtype };
  return { data: roundings(shape, random).map((factor, i) => factor * data[i]), shape, dtype };
}
