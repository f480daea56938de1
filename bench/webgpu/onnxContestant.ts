import { backendContestant } from './backendContestant.ts';
import type { Contestant } from './contestant.ts';
import { OnnxDeviceBackend } from './onnxDeviceBackend.ts';

/** ONNX Runtime finds the adapter itself, by the environment, and does not name it. */
export async function onnxContestant(): Promise<Contestant> {
  const description = 'the adapter of the environment';
  return backendContestant(await OnnxDeviceBackend.create(description), description);
}
