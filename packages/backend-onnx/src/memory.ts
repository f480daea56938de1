import { isStorageOf, toStorage, type HostArray, type TensorType, type TypedArray } from '@flow-matching/tensor';
import type { Tensor, TensorConstructor } from 'onnxruntime-common';
import { runtimeType } from './model/elementType.ts';

/** Elements in this process, with the view that sessions read and write in place. */
export class Memory {
  readonly data: TypedArray;
  readonly type: TensorType;
  #tensor: Tensor | undefined;

  constructor(data: TypedArray, type: TensorType) {
    this.data = data;
    this.type = type;
  }

  /** The view, created once: the class comes from the runtime, which accepts no tensors of another copy of it. */
  tensor(constructor: TensorConstructor): Tensor {
    return (this.#tensor ??= new constructor(runtimeType[this.type.dtype], this.data as never, this.type.shape));
  }
}

/** The memory of a host array; a copy of one that is not in the storage of its dtype, or is shared, which the native binding refuses. */
export class BorrowedMemory extends Memory {
  constructor({ data, shape, dtype }: HostArray) {
    const inPlace = isStorageOf(data, dtype) && data.buffer instanceof ArrayBuffer;
    super(inPlace ? data : toStorage(data, dtype), { shape, dtype });
  }
}
