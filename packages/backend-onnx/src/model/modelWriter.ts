import { create, toBinary } from '@bufbuild/protobuf';
import { formatShape, toStorage, type DType, type Shape, type TensorType } from '@flow-matching/tensor';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
} from '../generated/onnx_pb.ts';
import { elementType } from './elementType.ts';

/** The operator set of the models, and the oldest file format that supports it. */
const opset = 21n;
const irVersion = 10n;
/** ONNX Runtime's own operators. */
const contribDomain = 'com.microsoft';

/** An attribute: integers, lists of them, and strings directly; floats are marked, because 1 could be either. */
export type AttributeValue = number | readonly number[] | string | { readonly float: number };
export type NodeAttributes = Readonly<Record<string, AttributeValue>>;

export interface NodeOptions {
  /** `com.microsoft` for ONNX Runtime's own operators. Default: ONNX. */
  readonly domain?: string;
}

/** Builds an ONNX model. Values are names, and every method that creates a value returns its name. */
export class ModelWriter {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: { readonly name: string; readonly value: string; readonly type: TensorType }[] = [];
  readonly #sequences: ValueInfoProto[] = [];
  readonly #shared = new Map<string, string>();
  readonly #ordinals = new Map<string, number>();
  readonly #portNames: ReadonlySet<string>;
  #next = 0;

  #label = '';
  #labelled = 0;

  /** @param portNames names of inputs and outputs, which no inner value may have. */
  constructor(portNames: Iterable<string>) {
    this.#portNames = new Set(portNames);
  }

  /** Names the nodes written next `label`, `label.1`, …: messages of ONNX Runtime contain the name, which must be unique. */
  startNode(label: string): void {
    this.#label = label;
    this.#labelled = 0;
  }

  /** One ONNX node with one output, whose name is returned. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: NodeAttributes = {},
    { domain = '' }: NodeOptions = {},
  ): string {
    const output = this.#fresh();
    this.#nodes.push(
      create(NodeProtoSchema, {
        opType: operator,
        domain,
        name: this.#labelled === 0 ? this.#label : `${this.#label}.${this.#labelled}`,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
      }),
    );
    this.#labelled++;
    return output;
  }

  /** A node of ONNX Runtime's own operator set. */
  contrib(operator: string, inputs: readonly string[], attributes?: NodeAttributes): string {
    return this.node(operator, inputs, attributes, { domain: contribDomain });
  }

  /** A constant array. Small ones with equal content share one initializer. */
  constant(data: ArrayLike<number>, dtype: DType, shape: Shape): string {
    const stored = toStorage(data, dtype);
    const key =
      stored.length <= 16 ? `${dtype}${formatShape(shape)}${new Uint8Array(stored.buffer).join()}` : undefined;
    return this.#initializer(elementType[dtype], shape, stored, key);
  }

  /** A rank-0 constant. */
  scalar(value: number, dtype: DType): string {
    return this.constant([value], dtype, []);
  }

  /** An int64 vector, as ONNX uses for shapes, axes and bounds. */
  integers(values: readonly number[]): string {
    return this.#initializer(
      TensorProto_DataType.INT64,
      [values.length],
      BigInt64Array.from(values, BigInt),
      `i64:${values.join()}`,
    );
  }

  /** The number of previous calls with `key`: 0, 1, 2, … */
  ordinal(key: string): number {
    const count = this.#ordinals.get(key) ?? 0;
    this.#ordinals.set(key, count + 1);
    return count;
  }

  input(name: string, type: TensorType): string {
    this.#inputs.push(valueInfo(name, type));
    return name;
  }

  /** Declares `value` as an output. */
  output(name: string, value: string, type: TensorType): void {
    this.#outputs.push({ name, value, type });
  }

  /** Adds an output that is a sequence, not a tensor, before all others. */
  sequenceOutput(name: string): void {
    this.startNode(`Output ${name}`);
    this.node('SequenceConstruct', [this.scalar(0, 'f32')]);
    this.#nodes.at(-1)!.output = [name];
    this.#sequences.push(sequenceInfo(name));
  }

  /** The model as bytes. */
  finish(name: string): Uint8Array<ArrayBuffer> {
    this.#nameOutputs();
    const model = create(ModelProtoSchema, {
      irVersion,
      producerName: 'flow-matching',
      opsetImport: [{ version: opset }, { domain: contribDomain, version: 1n }],
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: [...this.#sequences, ...this.#outputs.map(({ name, type }) => valueInfo(name, type))],
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  /** The value of a node gets the name of its output; inputs, constants and further outputs of one value are copied. */
  #nameOutputs(): void {
    const makers = new Map(this.#nodes.map((node) => [node.output[0], node]));
    const renamed = new Map<string, string>();
    for (const { name, value } of this.#outputs) {
      const maker = makers.get(value);
      if (maker && !renamed.has(value)) {
        renamed.set(value, name);
      } else {
        this.startNode(`Output ${name}`);
        this.node('Identity', [value]);
        this.#nodes.at(-1)!.output = [name];
      }
    }
    const current = (value: string): string => renamed.get(value) ?? value;
    for (const node of this.#nodes) {
      node.input = node.input.map(current);
      node.output = node.output.map(current);
    }
  }

  #fresh(): string {
    let name: string;
    do name = `v${this.#next++}`;
    while (this.#portNames.has(name));
    return name;
  }

  #initializer(dataType: TensorProto_DataType, shape: Shape, data: ArrayBufferView, key: string | undefined): string {
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.#fresh();
    if (key !== undefined) this.#shared.set(key, name);
    const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    this.#initializers.push(create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType, rawData }));
    return name;
  }
}

function attributeProto(name: string, value: AttributeValue): AttributeProto {
  const { FLOAT, INT, INTS, STRING } = AttributeProto_AttributeType;
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: STRING, s: new TextEncoder().encode(value) });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
}

function valueInfo(name: string, { shape, dtype }: TensorType): ValueInfoProto {
  const dim = shape.map((extent) => ({ value: { case: 'dimValue' as const, value: BigInt(extent) } }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: elementType[dtype], shape: { dim } } } },
  });
}

/** The declaration of a sequence of f32 scalars. */
function sequenceInfo(name: string): ValueInfoProto {
  const elemType: TypeProto = create(TypeProtoSchema, {
    value: { case: 'tensorType', value: { elemType: elementType.f32, shape: {} } },
  });
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'sequenceType', value: { elemType } } } });
}
