import { allocate, sizeOf, type HostArray, type TensorType, type TypedArray } from '@flow-matching/tensor';
import { tensorBytes } from '../memory/tensorBytes.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import type { DeviceSession } from './deviceSession.ts';
import { fromElements, toElements } from './elements.ts';

/** The place of an array on the device: a buffer, which small arrays share. It includes one reference to the buffer. */
export interface ArrayPlace {
  readonly buffer: DeviceBuffer;
  /** Bytes before its first element. */
  readonly offset: number;
}

/** Copies a host array to a new buffer. */
export function upload(session: DeviceSession, source: HostArray): ArrayPlace {
  const elements = toElements(source);
  const buffer = session.pool.take(elements.byteLength);
  session.write(buffer.buffer, 0, elements);
  return { buffer, offset: 0 };
}

/** A copy of the elements of an array. */
export async function read(
  session: DeviceSession,
  { buffer, offset }: ArrayPlace,
  { shape, dtype }: TensorType,
): Promise<TypedArray> {
  if (sizeOf(shape) === 0) return allocate(dtype, 0);
  return fromElements(await session.read(buffer, offset, tensorBytes({ shape, dtype })), shape, dtype);
}
