import {
  BackendError,
  isStorageOf,
  sameShape,
  sizeOf,
  toStorage,
  type DType,
  type HostArray,
  type Shape,
  type TensorType,
  type TypedArray,
} from '@flow-matching/tensor';
import { getKernel, type DataType, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { heldShape } from '../heldShape.ts';
import type { StartedEngine } from './engines/engine.ts';

/**
 * TensorFlow.js's type for the storage of a dtype. u32 values are the int32 with the same bits, f64 values pairs of int32, f16
 * values float32.
 */
const heldType: Readonly<Record<DType, DataType>> = {
  f16: 'float32',
  f32: 'float32',
  f64: 'int32',
  i32: 'int32',
  u32: 'int32',
  bool: 'bool',
};

/** The highest rank for which every engine has kernels for selection, padding and strided slices; the limit is in the shaders of webgpu and webgl. */
const mostAxes = 4;

/** Calls an engine's kernels for one operator after another, and frees the intermediate values of each. */
export class Operations {
  readonly engine: StartedEngine;
  #made: TensorInfo[] = [];

  constructor(engine: StartedEngine) {
    this.engine = engine;
  }

  /** One output of one kernel. */
  run(kernel: string, inputs: Readonly<Record<string, TensorInfo>>, attributes: object = {}): TensorInfo {
    const { backend, kind } = this.engine;
    const config = getKernel(kernel, kind.name);
    if (!config) {
      throw new BackendError(`TensorFlow.js's ${kind.name} engine has no kernel ${kernel}.`, {
        actual: kernel,
        expected: 'the kernels of TensorFlow.js 4.22',
      });
    }
    const outputs = config.kernelFunc({ inputs, attrs: attributes as NamedAttrMap, backend });
    return this.#track(Array.isArray(outputs) ? outputs[0] : outputs);
  }

  upload(source: HostArray): TensorInfo {
    return this.#track(upload(this.engine, source));
  }

  /** A tensor filled with `value`. */
  filled(value: number, shape: Shape, dtype: DType): TensorInfo {
    return this.upload({ data: toStorage(new Float64Array(sizeOf(shape)).fill(value), dtype), shape, dtype });
  }

  /** The same value with one more reference. */
  same(x: TensorInfo): TensorInfo {
    return this.run('Identity', { x });
  }

  reshape(x: TensorInfo, shape: Shape): TensorInfo {
    return this.run('Reshape', { x }, { shape: [...shape] });
  }

  transpose(x: TensorInfo, perm: readonly number[]): TensorInfo {
    return this.run('Transpose', { x }, { perm: [...perm] });
  }

  /** The box of `size` at `begin`. */
  slice(x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
    if (sameShape(size, x.shape)) return this.same(x);
    return this.run('Slice', { x }, { begin: [...begin], size: [...size] });
  }

  /** Like {@link slice}, with every `strides`-th element up to `end`; −1 with a negative stride means before the first. */
  stridedSlice(
    x: TensorInfo,
    begin: readonly number[],
    end: readonly number[],
    strides: readonly number[],
  ): TensorInfo {
    if (x.shape.length > mostAxes)
      return this.#axisByAxis(x, (part, axis) =>
        this.stridedSlice(part, [0, begin[axis], 0], [part.shape[0], end[axis], part.shape[2]], [1, strides[axis], 1]),
      );
    // An end before the first element has no index, only a mask bit that means: to the last element in this direction.
    const endMask = end.reduce((mask, bound, axis) => (bound < 0 ? mask | (1 << axis) : mask), 0);
    const bounds = { begin: [...begin], end: end.map((bound) => Math.max(bound, 0)), strides: [...strides] };
    const otherMasks = { beginMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
    return this.run('StridedSlice', { x }, { ...bounds, endMask, ...otherMasks });
  }

  /** Pads a tensor with `value`, by pairs of the numbers of elements before and after each axis. */
  pad(x: TensorInfo, paddings: readonly (readonly [number, number])[], value = 0): TensorInfo {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return this.same(x);
    if (x.shape.length > mostAxes)
      return this.#axisByAxis(x, (part, axis) => this.pad(part, [[0, 0], paddings[axis], [0, 0]], value));
    return this.run('PadV2', { x }, { paddings: paddings.map((pair) => [...pair]), constantValue: value });
  }

  /** Elements of `t` where the condition is true and of `e` elsewhere; all three have the same shape. */
  select(condition: TensorInfo, t: TensorInfo, e: TensorInfo): TensorInfo {
    if (t.shape.length <= mostAxes) return this.run('Select', { condition, t, e });
    const [flatCondition, flatT, flatE] = [condition, t, e].map((x) => this.reshape(x, [sizeOf(x.shape)]));
    return this.reshape(this.select(flatCondition, flatT, flatE), t.shape);
  }

  /** Concatenates parts along an axis. */
  concat(parts: readonly TensorInfo[], axis: number): TensorInfo {
    // Every kernel input needs a name, so parts are named by position.
    return parts.length === 1 ? this.same(parts[0]) : this.run('Concat', parts as never, { axis });
  }

  /** Broadcasts extents of 1 to `shape`, with a broadcasting operator that changes no values: the kernels that repeat are slow. */
  expand(x: TensorInfo, shape: Shape): TensorInfo {
    const lead = shape.length - x.shape.length;
    const missing = shape.map((extent, axis) => (axis >= lead && x.shape[axis - lead] === extent ? 1 : extent));
    if (missing.every((extent) => extent === 1)) return this.reshape(x, shape);
    if (x.dtype === 'bool') return this.run('LogicalOr', { a: x, b: this.filled(0, missing, 'bool') });
    return this.run('Multiply', { a: x, b: this.filled(1, missing, x.dtype === 'float32' ? 'f32' : 'i32') });
  }

  /** The matrix product of […, rows, inner] and […, inner, columns], batch for batch. */
  product(a: TensorInfo, b: TensorInfo): TensorInfo {
    return this.run('BatchMatMul', { a, b }, { transposeA: false, transposeB: false });
  }

  /** The elements of a value, read-only; only on a host engine. */
  elements(x: TensorInfo, { shape, dtype }: TensorType): HostArray {
    return { data: inStorage(this.engine.elements(x), dtype), shape, dtype };
  }

  /** Frees the values created since the last call, except the result, which then belongs to the caller. */
  finish(result?: TensorInfo): void {
    const made = this.#made;
    this.#made = [];
    let kept = false;
    for (const value of made) {
      if (value === result && !kept) kept = true;
      else this.engine.backend.disposeData(value.dataId);
    }
  }

  /** Changes each axis in turn, with the tensor reshaped to [before, axis, after]. */
  #axisByAxis(x: TensorInfo, change: (part: TensorInfo, axis: number) => TensorInfo): TensorInfo {
    return x.shape.reduce((result, extent, axis) => {
      const [before, after] = [result.shape.slice(0, axis), result.shape.slice(axis + 1)];
      const changed = change(this.reshape(result, [sizeOf(before), extent, sizeOf(after)]), axis);
      return this.reshape(changed, [...before, changed.shape[1], ...after]);
    }, x);
  }

  #track(value: TensorInfo): TensorInfo {
    this.#made.push(value);
    return value;
  }
}

/** Copies a host array into an engine, with one reference. */
export function upload({ backend }: StartedEngine, { data, shape, dtype }: HostArray): TensorInfo {
  // Always a copy: some engines keep the array that they receive.
  const stored = toStorage(data, dtype);
  const values = heldType[dtype] === 'int32' ? new Int32Array(stored.buffer) : stored;
  const extents = [...heldShape(shape, dtype)];
  return {
    dataId: backend.write(values as Float32Array, extents, heldType[dtype]),
    shape: extents,
    dtype: heldType[dtype],
  };
}

/** An engine's elements in the storage of a dtype; the same memory if possible. */
export function inStorage(values: ArrayLike<number>, dtype: DType): TypedArray {
  if (isStorageOf(values, dtype)) return values;
  if (!(values instanceof Int32Array)) return toStorage(values, dtype);
  if (dtype === 'u32') return new Uint32Array(values.buffer, values.byteOffset, values.length);
  return dtype === 'f64' ? new Float64Array(values.slice().buffer) : toStorage(values, dtype);
}
