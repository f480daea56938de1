import type { DType } from '@flow-matching/tensor';
import type { Tensor } from 'onnxruntime-common';
import { TensorProto_DataType } from '../generated/onnx_pb.ts';

/** ONNX's element type of a dtype. */
export const elementType: Readonly<Record<DType, TensorProto_DataType>> = {
  f16: TensorProto_DataType.FLOAT16,
  f32: TensorProto_DataType.FLOAT,
  f64: TensorProto_DataType.DOUBLE,
  i32: TensorProto_DataType.INT32,
  u32: TensorProto_DataType.UINT32,
  bool: TensorProto_DataType.BOOL,
};

/** ONNX Runtime's name of a dtype. */
export const runtimeType = {
  f16: 'float16',
  f32: 'float32',
  f64: 'float64',
  i32: 'int32',
  u32: 'uint32',
  bool: 'bool',
} as const satisfies Record<DType, Tensor.Type>;
