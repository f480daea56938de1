import type { HostArray, TensorType, TypedArray } from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { StartedEngine } from './engines/engine.ts';
import { inStorage, upload } from './operations.ts';

/** A value in an engine's memory. */
export interface DeviceValue {
  readonly value: TensorInfo;
  /** The same value on the host, if it came from there and is small: seeds need not be read back. */
  readonly source?: HostArray;
}

const small = 16;

export function uploadValue(engine: StartedEngine, source: HostArray): DeviceValue {
  const value = upload(engine, source);
  const { data, shape, dtype } = source;
  return data.length > small ? { value } : { value, source: { data: data.slice(), shape, dtype } };
}

/** A copy of the elements. */
export async function readValue(
  { backend }: StartedEngine,
  { value }: DeviceValue,
  { dtype }: TensorType,
): Promise<TypedArray> {
  return inStorage((await backend.read(value.dataId)) as Float32Array, dtype).slice();
}

/** The value on the host. */
export async function readHost(
  engine: StartedEngine,
  held: DeviceValue,
  { shape, dtype }: TensorType,
): Promise<HostArray> {
  return held.source ?? { data: await readValue(engine, held, { shape, dtype }), shape, dtype };
}
