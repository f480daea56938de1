import {
  createReferenceBackend,
  evaluateSteps,
  finishOnClock,
  hostBackend,
  type Backend,
  type HostArray,
  type HostRandomStream,
} from '@flow-matching/tensor';
import { withRoundings } from './withRoundings.ts';

/** The reference with random f32 roundings, different in every run: see {@link withRoundings}. */
export function roundedReference(random: HostRandomStream): Backend {
  const { device, manifest } = createReferenceBackend();
  return hostBackend({
    name: 'rounded reference',
    device,
    manifest,
    copy: inDouble,
    compile: (graph) => (inputs) => finishOnClock(evaluateSteps(withRoundings(graph, random), inputs)),
  });
}

const inDouble = ({ data, shape, dtype }: HostArray): HostArray => ({
  data: data instanceof Float32Array ? Float64Array.from(data) : data.slice(),
  shape,
  dtype,
});
