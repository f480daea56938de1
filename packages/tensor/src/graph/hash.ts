import type { Graph } from './graph.ts';
import type { Node } from './node.ts';
import type { Attributes, AttributeValue } from './operator.ts';
import type { Tensor } from './tensor.ts';

/** Four 32-bit lanes of multiply-rotate mixing: not cryptographic, but 128 bits make accidental collisions negligible. */
class Hasher {
  readonly #lanes = new Uint32Array([0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667]);

  word(value: number): void {
    const lanes = this.#lanes;
    for (let i = 0; i < 4; i++) {
      let mixed = Math.imul(lanes[i] ^ value, 0xcc9e2d51 + 2 * i);
      mixed = (mixed << 15) | (mixed >>> 17);
      lanes[i] = Math.imul(mixed ^ lanes[(i + 1) & 3], 0x85ebca6b) ^ (mixed >>> 13);
    }
  }

  text(value: string): void {
    this.word(value.length);
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
  }

  bytes(view: ArrayBufferView): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    this.word(bytes.length);
    const whole = bytes.length & ~3;
    for (let i = 0; i < whole; i += 4)
      this.word(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    for (let i = whole; i < bytes.length; i++) this.word(bytes[i]);
  }

  toString(): string {
    return Array.from(this.#lanes, (lane) => lane.toString(16).padStart(8, '0')).join('');
  }
}

/** A key that is equal for equal attributes, regardless of their order. Typed arrays are compared by their bytes. */
export function attributesKey(attributes: Attributes): string {
  return Object.keys(attributes)
    .filter((name) => attributes[name] !== undefined)
    .toSorted()
    .map((name) => `${name}=${valueKey(attributes[name]!)}`)
    .join(';');
}

function valueKey(value: AttributeValue): string {
  if (!ArrayBuffer.isView(value))
    return Object.is(value, -0)
      ? '-0'
      : JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v));
  // Short constants are spelled out byte by byte, exactly; only long ones are hashed.
  if (value.byteLength <= 64)
    return `${value.constructor.name}:${new Uint8Array(value.buffer, value.byteOffset, value.byteLength).join()}`;
  const hasher = new Hasher();
  hasher.bytes(value);
  return `${value.constructor.name}:${value.length}:${hasher.toString()}`;
}

export function graphHash(graph: Graph): string {
  const hasher = new Hasher();
  const position = new Map<Node, number>();
  const reference = (tensor: Tensor): void => {
    hasher.word(position.get(tensor.node)!);
    hasher.word(tensor.index);
  };
  const visit = (node: Node): void => {
    position.set(node, position.size);
    hasher.text(node.operator.name);
    hasher.text(attributesKey(node.attributes));
    for (const tensor of node.inputs) reference(tensor);
    if (node.operator.body) hasher.text(node.operator.body(node.inputs, node.attributes).hash);
  };
  // Unused inputs are part of the signature, so they are included.
  for (const { name, tensor } of graph.inputs) {
    hasher.text(name);
    visit(tensor.node);
  }
  for (const { name, tensor } of graph.outputs) {
    hasher.text(name);
    for (const node of operandsFirst(tensor.node, position)) visit(node);
    reference(tensor);
  }
  return hasher.toString();
}

/**
 * The node and everything it needs, operands first, in an order determined by structure alone. The order of `graph.nodes`
 * depends on when nodes were created, and constants of a composite's body are created once per process.
 */
function* operandsFirst(node: Node, visited: ReadonlyMap<Node, unknown>): Generator<Node> {
  const pending = [node];
  while (pending.length > 0) {
    const next = pending.at(-1)!;
    const missing = visited.has(next) ? [] : next.inputs.filter((tensor) => !visited.has(tensor.node));
    for (const tensor of missing.toReversed()) pending.push(tensor.node);
    if (missing.length > 0) continue;
    pending.pop();
    if (!visited.has(next)) yield next;
  }
}
