import { evaluateGraph, isFloat, type Graph, type HostArray, type HostRandomStream } from '@flow-matching/tensor';
import { largestDeviation } from './largestDeviation.ts';
import { roundings, withRoundings } from './withRoundings.ts';

/**
 * The effect of roundings on a graph's outputs: the largest deviation of each element over evaluations in f64 in which one f32
 * unit round-off is randomly added to or subtracted from every input and every result of a primitive operator that rounds. It
 * includes the conditioning of everything between inputs and outputs; a sum is rounded like its terms.
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
