import { DataType } from '../../generated/saved_model_pb.ts';
import type { GraphWriter, Value } from '../graphWriter.ts';

const { DT_INT32, DT_INT64 } = DataType;

/** A u32 value as int64, from the int32 with the same bits. */
export function widened(write: GraphWriter, x: Value): Value {
  const long = write.node('Cast', [x], { SrcT: { type: DT_INT32 }, DstT: { type: DT_INT64 } });
  return write.typed('BitwiseAnd', DT_INT64, [long, write.long(0xffffffffn)]);
}

/** Back: the lower 32 bits. */
export const narrowed = (write: GraphWriter, x: Value): Value =>
  write.node('Cast', [x], { SrcT: { type: DT_INT64 }, DstT: { type: DT_INT32 } });
