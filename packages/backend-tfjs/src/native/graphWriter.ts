import { create, toBinary } from '@bufbuild/protobuf';
import { sizeOf, toStorage, type DType, type Shape, type TypedArray } from '@flow-matching/tensor';
import {
  AttrValue_ListValueSchema,
  AttrValueSchema,
  DataType,
  NodeDefSchema,
  SavedModelSchema,
  TensorProtoSchema,
  TensorShapeProtoSchema,
  type AttrValue,
  type NodeDef,
  type TensorShapeProto,
} from '../generated/saved_model_pb.ts';

/** A value of the graph: the name of a node for its first output, or `name:1` for another one. */
export type Value = string;

/** An attribute by its TensorFlow type. */
export type Attribute =
  | { readonly type: DataType }
  | { readonly int: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

export type NodeAttributes = Readonly<Record<string, Attribute>>;

/** TensorFlow's type for a dtype inside a graph. u32 values are the int32 with the same bits. */
export const dataType: Readonly<Record<DType, DataType>> = {
  // Not supported: no operator is declared for it.
  f16: DataType.DT_INVALID,
  f32: DataType.DT_FLOAT,
  f64: DataType.DT_DOUBLE,
  i32: DataType.DT_INT32,
  u32: DataType.DT_INT32,
  bool: DataType.DT_BOOL,
};

/** The type of indices, extents and axes. */
export const indexType: Attribute = { type: DataType.DT_INT32 };

/** Collects the nodes of a GraphDef and writes them as a SavedModel. */
export class GraphWriter {
  readonly #nodes: NodeDef[] = [];
  readonly #constants = new Map<string, Value>();
  #label = '';

  /** Sets the prefix for the names of the following nodes, so that TensorFlow's messages show what they were written for. */
  startNode(label: string): void {
    this.#label = `${label}/`;
  }

  #nextName(): string {
    return `${this.#label}${this.#nodes.length}`;
  }

  /** Adds a node with a TensorFlow operator. Its name is the `Value`. */
  node(op: string, inputs: readonly Value[], attributes: NodeAttributes = {}, name = this.#nextName()): Value {
    const attr = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeValue(value)]));
    this.#nodes.push(create(NodeDefSchema, { name, op, input: [...inputs], attr }));
    return name;
  }

  /** A node with one type attribute `T`, like most operators. */
  typed(op: string, type: DataType, inputs: readonly Value[], attributes: NodeAttributes = {}): Value {
    return this.node(op, inputs, { T: { type }, ...attributes });
  }

  placeholder(name: string, type: DataType, shape: Shape): Value {
    const node = create(NodeDefSchema, { name, op: 'Placeholder' });
    node.attr['dtype'] = attributeValue({ type });
    node.attr['shape'] = create(AttrValueSchema, { value: { case: 'shape', value: shapeProto(shape) } });
    this.#nodes.push(node);
    return name;
  }

  constant(values: ArrayLike<number>, dtype: DType, shape: Shape): Value {
    const data = toStorage(values, dtype);
    return this.#constant(dataType[dtype], data, shape);
  }

  scalar(value: number, dtype: DType): Value {
    return this.constant([value], dtype, []);
  }

  /** A vector of int32: shapes, axes, permutations. */
  integers(values: readonly number[]): Value {
    return this.#constant(DataType.DT_INT32, Int32Array.from(values), [values.length]);
  }

  /** Rows of int32, such as paddings before and after each axis. */
  table(rows: readonly (readonly number[])[]): Value {
    return this.#constant(DataType.DT_INT32, Int32Array.from(rows.flat()), [rows.length, 2]);
  }

  /** A scalar int64. */
  long(value: bigint): Value {
    return this.#constant(DataType.DT_INT64, BigInt64Array.of(value), []);
  }

  #constant(type: DataType, data: TypedArray | BigInt64Array, shape: Shape): Value {
    const content = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = content.length <= 256 ? `${type} ${shape.join()} ${content.join()}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const node = create(NodeDefSchema, { name: this.#nextName(), op: 'Const' });
    const tensor = create(TensorProtoSchema, {
      dtype: type,
      tensorShape: shapeProto(shape),
      tensorContent: Uint8Array.from(content),
    });
    node.attr['dtype'] = attributeValue({ type });
    node.attr['value'] = create(AttrValueSchema, { value: { case: 'tensor', value: tensor } });
    this.#nodes.push(node);
    if (key !== undefined) this.#constants.set(key, node.name);
    return node.name;
  }

  /** The file saved_model.pb, tagged `serve`. */
  finish(): Uint8Array {
    return toBinary(
      SavedModelSchema,
      create(SavedModelSchema, {
        savedModelSchemaVersion: 1n,
        metaGraphs: [
          {
            metaInfoDef: { tags: ['serve'] },
            // Version 1087 of the format is TensorFlow 2.8's; older versions also read the models written here.
            graphDef: { node: this.#nodes, versions: { producer: 1087, minConsumer: 12 } },
          },
        ],
      }),
    );
  }
}

const shapeProto = (shape: Shape): TensorShapeProto =>
  create(TensorShapeProtoSchema, { dim: shape.map((extent) => ({ size: BigInt(extent) })) });

function attributeValue(attribute: Attribute): AttrValue {
  const value = ((): AttrValue['value'] => {
    if ('type' in attribute) return { case: 'type', value: attribute.type };
    if ('int' in attribute) return { case: 'i', value: BigInt(attribute.int) };
    if ('bool' in attribute) return { case: 'b', value: attribute.bool };
    if ('text' in attribute) return { case: 's', value: new TextEncoder().encode(attribute.text) };
    return { case: 'list', value: create(AttrValue_ListValueSchema, { i: attribute.ints.map(BigInt) }) };
  })();
  return create(AttrValueSchema, { value });
}

/** A constant filled with one value. */
export const filled = (write: GraphWriter, value: number, shape: Shape, dtype: DType): Value =>
  sizeOf(shape) <= 16
    ? write.constant(new Array<number>(sizeOf(shape)).fill(value), dtype, shape)
    : write.typed('BroadcastTo', dataType[dtype], [write.scalar(value, dtype), write.integers(shape)], {
        Tidx: indexType,
      });
