import type { Tensor } from '@flow-matching/tensor';
import { lower } from '../lowering/index.ts';
import { bufferBytes, isPacked, smallElementBytes } from '../memory/tensorBytes.ts';
import { productOf } from '../products/productOf.ts';
import { writeProduct } from '../products/productKernel.ts';
import { invocationsOf, productGrid, productTile } from '../products/productTile.ts';
import { libraryCode } from '../wgsl/functions.ts';
import { storedType, valueType } from '../wgsl/types.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import type { Dispatch } from './dispatches.ts';
import { membersOf, type Group } from './group.ts';
import { KernelWriter } from './kernelWriter.ts';
import { mapLayout, writeMap } from './mapKernel.ts';
import { bufferKey, type Binding, type BufferReference, type Kernel, type Place } from './program.ts';

/** The memory layout that kernels need. */
export interface KernelMemory {
  readonly stored: ReadonlySet<Tensor>;
  readonly places: ReadonlyMap<Tensor, Place>;
  readonly smallElements: number;
}

/** Writes the WGSL of a dispatch. */
export function writeKernel(dispatch: Dispatch, memory: KernelMemory, profile: AdapterProfile): Kernel {
  const groups = dispatch.groups.map(({ group }) => group);
  // Written twice: how a buffer is declared depends on how the whole kernel reads it.
  const vectors = new Buffers(memory, new Set());
  sectionsOf(groups, memory, profile, vectors);
  const buffers = new Buffers(memory, vectors.vectorTensors);
  const sections = sectionsOf(groups, memory, profile, buffers);

  const total = sections.reduce((sum, { workgroups }) => sum + workgroups, 0);
  const across = Math.min(total, profile.workgroupsPerDimension);
  const down = Math.ceil(total / across);
  const functions = new Set(sections.flatMap(({ writer }) => [...writer.functions]));
  const declarations = new Map(sections.flatMap(({ writer }) => [...writer.declarations]));
  const subgroups = [...declarations.values()].some((code) => code.includes('subgroupElect'));

  const body: string[] = [];
  let first = 0;
  for (const { writer, workgroups } of sections) {
    const last = first + workgroups;
    const alone = sections.length === 1 && down === 1;
    body.push(alone ? '{' : `${first === 0 ? 'if' : 'else if'} (number < ${last}u) {`);
    body.push(`  let workgroup = number${first === 0 ? '' : ` - ${first}u`};`);
    body.push(...writer.code.map((line) => `  ${line}`), '}');
    first = last;
  }
  const lines = [
    ...(subgroups ? ['enable subgroups;', 'requires subgroup_id;'] : []),
    ...buffers.declarations(),
    ...libraryCode(functions),
    ...declarations.values(),
    `@compute @workgroup_size(${sections[0].workgroupSize})`,
    'fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32' +
      (subgroups ? ', @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32' : '') +
      ') {',
    `  let number = ${down === 1 ? 'id.x' : 'id.y * count.x + id.x'};`,
    ...body.map((line) => `  ${line}`),
    '}',
    '',
  ];
  const code = (lines.some((line) => /\bf16\b/.test(line)) ? ['enable f16;', ...lines] : lines).join('\n');
  return {
    label: groups.map(labelOf).join(' | '),
    code,
    bindings: buffers.bindings,
    workgroups: [across, down],
    bytes: buffers.bytes,
  };
}

interface Section {
  readonly writer: KernelWriter;
  readonly workgroups: number;
  readonly workgroupSize: number;
}

function sectionsOf(
  groups: readonly Group[],
  { stored }: KernelMemory,
  profile: AdapterProfile,
  buffers: Buffers,
): Section[] {
  return groups.map((group) => {
    const own = new Set(membersOf(group));
    const writer = new KernelWriter({
      isStored: (tensor) => stored.has(tensor) && !own.has(tensor),
      load: (tensor, position) => buffers.load(tensor, position),
      lower,
    });
    const store = (tensor: Tensor, position: string, value: string): string =>
      buffers.store(tensor, position, tensor.dtype === 'f16' ? writer.call('toHalf', value) : value);
    if (group.kind === 'map') {
      const layout = mapLayout(group, profile);
      writeMap(writer, group, layout, profile, store);
      return { writer, workgroups: layout.workgroups, workgroupSize: layout.workgroupSize };
    }
    const tile = productTile(group.node, profile);
    writeProduct(writer, group, tile, { store, vector: (tensor, quarter) => buffers.vector(tensor, quarter) });
    const [batch, rows, columns] = productGrid(productOf(group.node), tile);
    return { writer, workgroups: batch * rows * columns, workgroupSize: invocationsOf(tile) };
  });
}

/** Collects the buffers of a kernel, and how their elements are read and written. */
class Buffers {
  /** Tensors read four elements at a time. */
  readonly vectorTensors = new Set<Tensor>();
  readonly #memory: KernelMemory;
  readonly #vectors: ReadonlySet<Tensor>;
  readonly #known = new Map<string, { readonly buffer: BufferReference; readonly tensor: Tensor; writes: boolean }>();
  readonly #touched = new Set<string>();
  bytes = 0;

  constructor(memory: KernelMemory, vectors: ReadonlySet<Tensor>) {
    this.#memory = memory;
    this.#vectors = vectors;
  }

  #place(tensor: Tensor, writes: boolean): { readonly name: string; readonly place: Place } {
    const place = this.#memory.places.get(tensor)!;
    const buffer: BufferReference = place.kind === 'small' ? { kind: 'small' } : place.buffer;
    const key = bufferKey(buffer);
    const known = this.#known.get(key) ?? { buffer, tensor, writes };
    known.writes ||= writes;
    this.#known.set(key, known);
    const touch = `${writes} ${tensor.node.id}`;
    if (!this.#touched.has(touch)) {
      this.#touched.add(touch);
      this.bytes += bufferBytes(tensor);
    }
    return { name: nameOf(key, this.#known), place };
  }

  /** The expression of an element in memory. */
  #element(tensor: Tensor, position: string, writes: boolean): string {
    const { name, place } = this.#place(tensor, writes);
    if (place.kind === 'small') return `${name}[${place.offset === 0 ? position : `${place.offset}u + ${position}`}]`;
    if (!this.#vectors.has(tensor)) return `${name}[${position}]`;
    return `${name}[(${position}) >> 2u][(${position}) & 3u]`;
  }

  load(tensor: Tensor, position: string): string {
    const element = this.#element(tensor, position, false);
    if (tensor.dtype === 'bool') return `${element} != 0u`;
    const small = isSmallPlace(this.#memory.places.get(tensor)!);
    if (small) return tensor.dtype === 'u32' ? element : `bitcast<${valueType(tensor.dtype)}>(${element})`;
    return isPacked(tensor) ? `f32(${element})` : element;
  }

  store(tensor: Tensor, position: string, value: string): string {
    const element = this.#element(tensor, position, true);
    if (tensor.dtype === 'bool') return `${element} = select(0u, 1u, ${value});`;
    const small = isSmallPlace(this.#memory.places.get(tensor)!);
    if (small) return tensor.dtype === 'u32' ? `${element} = ${value};` : `${element} = bitcast<u32>(${value});`;
    return `${element} = ${isPacked(tensor) ? `f16(${value})` : value};`;
  }

  vector(tensor: Tensor, quarter: string): string {
    this.vectorTensors.add(tensor);
    const vector = `${this.#place(tensor, false).name}[${quarter}]`;
    return isPacked(tensor) ? `vec4<f32>(${vector})` : vector;
  }

  get bindings(): Binding[] {
    return [...this.#known.values()].map(({ buffer, tensor, writes }) => ({
      buffer,
      bytes: buffer.kind === 'small' ? this.#memory.smallElements * smallElementBytes : bufferBytes(tensor),
      writes,
    }));
  }

  declarations(): string[] {
    return [...this.#known].map(([key, { buffer, tensor, writes }], i) => {
      const access = writes ? 'read_write' : 'read';
      const type =
        buffer.kind === 'small'
          ? `array<u32, ${this.#memory.smallElements}>`
          : this.#vectors.has(tensor)
            ? `array<vec4<${storedType(tensor.dtype)}>, ${tensor.size / 4}>`
            : `array<${storedType(tensor.dtype)}, ${Math.max(1, tensor.size)}>`;
      return `@group(0) @binding(${i}) var<storage, ${access}> ${nameOf(key, this.#known)}: ${type};`;
    });
  }
}

const isSmallPlace = ({ kind }: Place): boolean => kind === 'small';

const nameOf = (key: string, known: ReadonlyMap<string, unknown>): string =>
  key === 'small' ? 'small' : `b${[...known.keys()].indexOf(key)}`;

function labelOf(group: Group): string {
  const names = group.outputs.map(({ node }) => node.operator.name);
  const stages = group.kind === 'map' ? group.stages.map(({ operator }) => operator.name) : [group.node.operator.name];
  return [...new Set([...stages, ...names])].join('+');
}
