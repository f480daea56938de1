import type { CompileOptions, Graph, HostArray, Tensor } from '@flow-matching/tensor';
import type { Dispatch } from '../compiler/dispatches.ts';
import type { Place, ProgramOutput, ProgramPort, SmallConstant } from '../compiler/program.ts';
import { isSmall } from './isSmall.ts';
import { bufferBytes } from './tensorBytes.ts';

/** The place of everything in memory while a program runs. */
export interface MemoryPlan {
  readonly places: ReadonlyMap<Tensor, Place>;
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramOutput[];
  readonly smallElements: number;
  readonly smallConstants: readonly SmallConstant[];
  readonly constants: readonly HostArray[];
  readonly scratch: readonly number[];
}

const constantArray = ({ node, shape, dtype }: Tensor): HostArray => ({
  data: (node.attributes as unknown as Pick<HostArray, 'data'>).data,
  shape,
  dtype,
});

/**
 * Assigns a place to every stored tensor. Small ones share a buffer. An output takes over the buffer of its aliased input if no
 * element is read after it was written. Buffers of intermediates are reused after the last kernel that reads them.
 */
export function planMemory(
  graph: Graph,
  stored: ReadonlySet<Tensor>,
  dispatches: readonly Dispatch[],
  aliases: NonNullable<CompileOptions['aliases']>,
): MemoryPlan {
  const uses = usesOf(stored, dispatches);
  const places = new Map<Tensor, Place>();
  const small = new SmallPlaces();

  const inputs = graph.inputs.map(({ name, tensor }): ProgramPort => {
    const place = isSmall(tensor) ? small.add(tensor) : ({ kind: 'buffer', buffer: { kind: 'input', name } } as const);
    places.set(tensor, place);
    return { name, tensor, place };
  });

  const constants: HostArray[] = [];
  const smallConstants: SmallConstant[] = [];

  const aliasOf = new Map(aliases.map(([input, output]) => [output, input]));
  // Aliased small outputs are in the order of their inputs, so that they become inputs again with one copy.
  const inputOrder = new Map(graph.inputs.map(({ name }, i) => [name, i]));
  const rank = (name: string): number => inputOrder.get(aliasOf.get(name) ?? '') ?? graph.inputs.length;
  const laid = new Map<string, ProgramOutput>();
  for (const { name, tensor } of graph.outputs.toSorted((a, b) => rank(a.name) - rank(b.name))) {
    const alias = aliasOf.get(name);
    const own = (): Place =>
      isSmall(tensor) ? small.add(tensor) : { kind: 'buffer', buffer: { kind: 'output', name } };
    const computed = !places.has(tensor) && !['Input', 'Constant'].includes(tensor.node.operator.name);
    if (!computed) {
      if (!places.has(tensor)) placeConstant(tensor);
      // Not in the small buffer: WebGPU cannot copy within a buffer.
      const place: Place = { kind: 'buffer', buffer: { kind: 'output', name } };
      laid.set(name, { name, tensor, place, copies: places.get(tensor)! });
      continue;
    }
    const reuses = alias !== undefined && !isSmall(tensor) && takesOver(graph.input(alias), tensor) ? alias : undefined;
    const place: Place = reuses === undefined ? own() : { kind: 'buffer', buffer: { kind: 'input', name: reuses } };
    places.set(tensor, place);
    laid.set(name, { name, tensor, place, ...(reuses !== undefined && { reuses }) });
  }

  function takesOver(input: Tensor, output: Tensor): boolean {
    if (graph.outputs.some(({ tensor }) => tensor === input)) return false;
    const { written, position } = uses.get(output) ?? {};
    const { reads = [] } = uses.get(input) ?? {};
    return (
      written !== undefined &&
      reads.every((read) => read.dispatch < written || (read.dispatch === written && read.position === position))
    );
  }

  function placeConstant(tensor: Tensor): void {
    if (isSmall(tensor)) {
      const place = small.add(tensor);
      places.set(tensor, place);
      smallConstants.push({ offset: place.offset, ...constantArray(tensor) });
    } else {
      places.set(tensor, { kind: 'buffer', buffer: { kind: 'constant', number: constants.length } });
      constants.push(constantArray(tensor));
    }
  }

  const slots = new Slots();
  for (const tensor of stored) {
    if (places.has(tensor)) continue;
    if (tensor.node.operator.name === 'Constant') placeConstant(tensor);
    else if (isSmall(tensor)) places.set(tensor, small.add(tensor));
  }
  const between = [...stored].filter((tensor) => !places.has(tensor) && uses.get(tensor)?.written !== undefined);
  for (const tensor of between.toSorted((a, b) => uses.get(a)!.written! - uses.get(b)!.written!)) {
    const { written, reads } = uses.get(tensor)!;
    const last = Math.max(written!, ...reads.map(({ dispatch }) => dispatch));
    places.set(tensor, {
      kind: 'buffer',
      buffer: { kind: 'scratch', slot: slots.take(bufferBytes(tensor), written!, last) },
    });
  }

  return {
    places,
    inputs,
    outputs: graph.outputs.map(({ name }) => laid.get(name)!),
    smallElements: small.elements,
    smallConstants,
    constants,
    scratch: slots.bytes,
  };
}

interface Use {
  /** The dispatch that computes it, and the position of each element in its kernel. */
  written?: number;
  position?: string;
  readonly reads: { readonly dispatch: number; readonly position: string }[];
}

function usesOf(stored: ReadonlySet<Tensor>, dispatches: readonly Dispatch[]): Map<Tensor, Use> {
  const uses = new Map<Tensor, Use>([...stored].map((tensor) => [tensor, { reads: [] }]));
  dispatches.forEach(({ groups }, dispatch) => {
    groups.forEach(({ footprint: { accesses, positions } }, i) => {
      // Another group of the dispatch may run before or after, at other positions.
      for (const { tensor, position } of accesses)
        uses.get(tensor)!.reads.push({ dispatch, position: `${i} ${position.key}` });
      for (const [output, position] of positions)
        Object.assign(uses.get(output)!, { written: dispatch, position: `${i} ${position}` });
    });
  });
  return uses;
}

class SmallPlaces {
  elements = 0;

  add({ size }: Tensor): Extract<Place, { kind: 'small' }> {
    const place = { kind: 'small', offset: this.elements } as const;
    this.elements += Math.max(1, size);
    return place;
  }
}

/** Buffers reused by tensors with disjoint lifetimes. */
class Slots {
  readonly bytes: number[] = [];
  /** The dispatch from which each is free. */
  readonly #freeFrom: number[] = [];

  take(bytes: number, from: number, to: number): number {
    let best: number | undefined;
    this.bytes.forEach((size, slot) => {
      const fits = this.#freeFrom[slot] <= from && size >= bytes && size <= 4 * bytes;
      if (fits && (best === undefined || size < this.bytes[best])) best = slot;
    });
    const slot = best ?? this.bytes.push(bytes) - 1;
    this.#freeFrom[slot] = to + 1;
    return slot;
  }
}
