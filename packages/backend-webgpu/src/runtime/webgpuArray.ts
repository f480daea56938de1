import {
  allocate,
  DisposedError,
  sizeOf,
  type BackendArray,
  type DType,
  type Shape,
  type TypedArray,
} from '@flow-matching/tensor';
import { tensorBytes } from '../memory/tensorBytes.ts';
import type { DeviceBuffer } from './deviceBuffer.ts';
import { fromElements } from './elements.ts';
import type { DeviceSession } from './deviceSession.ts';

/** The place of an array on the device. */
export interface ArrayPlace {
  readonly buffer: DeviceBuffer;
  /** Bytes before its first element. */
  readonly offset: number;
}

/** An array in a buffer of the device, which small arrays share. */
export class WebgpuArray implements BackendArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly session: DeviceSession;
  #place: ArrayPlace | undefined;
  #donated = false;

  /** Takes over the caller's reference to the buffer. */
  constructor(
    session: DeviceSession,
    place: ArrayPlace,
    { shape, dtype }: { readonly shape: Shape; readonly dtype: DType },
  ) {
    this.session = session;
    this.#place = place;
    this.shape = shape;
    this.dtype = dtype;
  }

  get disposed(): boolean {
    return this.#place === undefined || this.session.disposed;
  }

  /** @throws DisposedError if the array was disposed or donated. */
  get place(): ArrayPlace {
    if (this.#place) return this.#place;
    throw new DisposedError(`The array was ${this.#donated ? 'donated to a run' : 'disposed'}.`, {
      expected: 'an array that is not disposed',
      ...(this.#donated && { remedy: 'Use the array that the run returned in its place.' }),
    });
  }

  async read(): Promise<TypedArray> {
    this.session.checkAlive();
    const { buffer, offset } = this.place;
    const size = sizeOf(this.shape);
    if (size === 0) return allocate(this.dtype, 0);
    const bytes = await this.session.read(buffer, offset, tensorBytes(this));
    return fromElements(bytes, this.shape, this.dtype);
  }

  dispose(): void {
    this.#place?.buffer.release();
    this.#place = undefined;
  }

  /** Donates the array to a run, which takes over its buffer. */
  donate(): void {
    this.#donated = true;
    this.dispose();
  }
}
