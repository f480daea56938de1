import { BackendError, sizeOf, type Graph, type Tensor } from '@flow-matching/tensor';
import { loweringOf } from '../lowering/index.ts';
import { isSmall } from '../memory/isSmall.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { columnsOf, membersOf, type Group, type MapGroup } from './group.ts';
import { NotComputable } from './kernelWriter.ts';
import { footprintOf, type Footprint } from './footprint.ts';

/** Planned kernels, in an order in which they can run. */
export interface Schedule {
  readonly groups: readonly ScheduledGroup[];
  /** The tensors kept in memory between kernels. */
  readonly stored: ReadonlySet<Tensor>;
}

/** A group with its memory accesses. */
export interface ScheduledGroup {
  readonly group: Group;
  readonly footprint: Footprint;
}

/** The largest number of elements per row written by the few workgroups that reduce rows. */
const widestOfFew = 4096;
/** With this many rows there are enough workgroups. */
const manyRows = 64;
/** The largest number of elements per row that one invocation writes if nothing is reduced. */
const widestAlone = 16;

/**
 * Divides the computation of a graph into as few kernels as possible. At first every stored tensor has its own kernel, which
 * computes it from other stored tensors. Then kernels are merged: a kernel with one that uses its results row by row, and
 * kernels that use the same tensors. Kernels are not merged if the result could not be written because it would need an element
 * that another invocation computes.
 *
 * `aliases` are outputs and the inputs that they should replace: both share one buffer of a kernel that reads one where it
 * writes the other.
 */
export function schedule(
  graph: Graph,
  stored: ReadonlySet<Tensor>,
  aliases: ReadonlyMap<Tensor, Tensor>,
  profile: AdapterProfile,
): Schedule {
  const merger = new Merger(graph, stored, aliases, profile);
  merger.join();
  return merger.finish();
}

interface Planned extends ScheduledGroup {
  /** Its position among groups: the smallest id of the nodes it computes. */
  readonly order: number;
}

class Merger {
  readonly #graphOutputs: ReadonlySet<Tensor>;
  /** Shrinks as kernels are merged: tensors that only their own kernel needs are no longer kept. */
  readonly #stored: Set<Tensor>;
  readonly #aliases: ReadonlyMap<Tensor, Tensor>;
  readonly #profile: AdapterProfile;
  readonly #planned = new Set<Planned>();
  /** The group that computes a tensor. */
  readonly #makers = new Map<Tensor, Planned>();

  constructor(
    graph: Graph,
    stored: ReadonlySet<Tensor>,
    aliases: ReadonlyMap<Tensor, Tensor>,
    profile: AdapterProfile,
  ) {
    this.#aliases = aliases;
    this.#stored = new Set(stored);
    this.#profile = profile;
    this.#graphOutputs = new Set(graph.outputs.map(({ tensor }) => tensor));
    const computed = graph.nodes
      .filter(({ operator: { name } }) => name !== 'Input' && name !== 'Constant')
      .map(({ outputs: [tensor] }) => tensor)
      .filter(({ size }) => size > 0);
    this.#storeParts(computed);
    for (const tensor of computed) if (this.#stored.has(tensor)) this.#add(this.#plan(ownGroup(tensor), []));
  }

  /** Before planning, stores parts of the computation of a tensor that would use too many buffers together. */
  #storeParts(computed: readonly Tensor[]): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const tensor of computed) {
        if (!this.#stored.has(tensor)) continue;
        while (this.#buffersOf(this.#plan(ownGroup(tensor), [])) > this.#profile.storageBuffers) {
          this.#stored.add(this.#largestPart(tensor));
          changed = true;
        }
      }
    }
  }

  /**
   * Among the tensors computed inside a kernel, the one that uses the most buffers and could have its own kernel.
   *
   * @throws BackendError if every part is too large or too small to help.
   */
  #largestPart(tensor: Tensor): Tensor {
    const seen = new Set<Tensor>();
    const pending = [...tensor.node.inputs];
    let best: { readonly part: Tensor; readonly buffers: number } | undefined;
    while (pending.length > 0) {
      const part = pending.pop()!;
      if (seen.has(part) || this.#stored.has(part) || part.node.operator.name === 'Constant') continue;
      seen.add(part);
      pending.push(...part.node.inputs);
      if (loweringOf(part.node).kind === 'view') continue;
      const buffers = this.#buffersOf(this.#plan(ownGroup(part), []));
      if (buffers > 2 && buffers <= this.#profile.storageBuffers && buffers > (best?.buffers ?? 0))
        best = { part, buffers };
    }
    if (best) return best.part;
    throw new BackendError(`${tensor.node.operator.name} reads more arrays than a kernel may use.`, {
      actual: tensor.node.inputs.length,
      expected: `at most ${this.#profile.storageBuffers - 1} (maxStorageBuffersPerShaderStage of the adapter)`,
      callSite: tensor.node.callSite,
    });
  }

  #add(planned: Planned): void {
    const { group } = planned;
    this.#planned.add(planned);
    for (const tensor of membersOf(group)) this.#makers.set(tensor, planned);
  }

  /**
   * Plans a group as one kernel, with tensors that are then not kept.
   *
   * @throws NotComputable if it cannot be one kernel.
   */
  #plan(group: Group, dropped: readonly Tensor[]): Planned {
    const isStored = (tensor: Tensor): boolean => this.#stored.has(tensor) && !dropped.includes(tensor);
    return {
      group,
      footprint: footprintOf(group, isStored, this.#profile),
      order: Math.min(...membersOf(group).map(({ node }) => node.id)),
    };
  }

  #makersOf(planned: Planned): Set<Planned> {
    const makers = new Set<Planned>();
    for (const tensor of planned.footprint.reads) {
      const maker = this.#makers.get(tensor);
      if (maker) makers.add(maker);
    }
    return makers;
  }

  join(): void {
    const tensors = [...this.#makers.keys()];
    for (const tensor of tensors) {
      // A tensor that is no longer kept has no kernel.
      let user = this.#makers.get(tensor);
      while (user) user = this.#joinedWithMaker(user);
    }
    this.#joinSiblings();
  }

  /** A kernel merged with the first possible one of those whose results it uses, if any. */
  #joinedWithMaker(user: Planned): Planned | undefined {
    for (const maker of this.#makersOf(user)) {
      const joined = this.#tryJoin(maker, user);
      if (joined) return joined;
    }
    return undefined;
  }

  /** Merges kernels of the same rows that read the same large tensors. */
  #joinSiblings(): void {
    for (let again = true; again;) {
      again = false;
      const maps = [...this.#planned].filter(({ group }) => group.kind === 'map');
      for (const [i, one] of maps.entries()) {
        if (!this.#planned.has(one)) continue;
        for (const other of maps.slice(i + 1)) {
          if (!this.#planned.has(other) || !shareReads(one, other)) continue;
          if ((one.group as MapGroup).rows !== (other.group as MapGroup).rows) continue;
          if (!this.#tryJoin(one, other)) continue;
          again = true;
          break;
        }
      }
    }
  }

  #tryJoin(one: Planned, other: Planned): Planned | undefined {
    const group = joinedGroup(one.group, other.group, this.#graphOutputs, (tensor) =>
      [...this.#planned].some((each) => each !== one && each !== other && each.footprint.reads.has(tensor)),
    );
    if (!group || this.#isBetween(one, other) || this.#isBetween(other, one)) return undefined;
    const dropped = [...one.group.outputs, ...other.group.outputs].filter((tensor) => !group.outputs.includes(tensor));
    const planned = this.#planOrNothing(group, dropped);
    if (!planned || this.#buffersOf(planned) > this.#profile.storageBuffers) return undefined;
    for (const each of [one, other]) this.#planned.delete(each);
    for (const tensor of [...membersOf(one.group), ...membersOf(other.group)]) this.#makers.delete(tensor);
    for (const tensor of dropped) this.#stored.delete(tensor);
    this.#add(planned);
    return planned;
  }

  #planOrNothing(group: Group, dropped: readonly Tensor[]): Planned | undefined {
    try {
      return this.#plan(group, dropped);
    } catch (error) {
      if (error instanceof NotComputable) return undefined;
      throw error;
    }
  }

  #buffersOf({ group, footprint }: Planned): number {
    const written = group.outputs.filter((output) => !this.#replaces(output, footprint));
    const tensors = [...footprint.reads, ...written];
    return new Set(tensors.filter((tensor) => !isSmall(tensor))).size + (tensors.some(isSmall) ? 1 : 0);
  }

  /** Whether an output is written where the input that it replaces is read, element by element. */
  #replaces(output: Tensor, { accesses, reads, positions }: Footprint): boolean {
    const input = this.#aliases.get(output);
    if (input === undefined || isSmall(input) || !reads.has(input)) return false;
    const position = positions.get(output);
    return accesses.every((access) => access.tensor !== input || access.position.key === position);
  }

  /** Whether a third kernel needs the results of `first` and is needed by `last`. */
  #isBetween(first: Planned, last: Planned): boolean {
    const seen = new Set<Planned>();
    const pending = [...this.#makersOf(last)].filter((maker) => maker !== first);
    while (pending.length > 0) {
      const each = pending.pop()!;
      if (each === first) return true;
      if (seen.has(each)) continue;
      seen.add(each);
      pending.push(...this.#makersOf(each));
    }
    return false;
  }

  /** Kernels in the order of the nodes they compute, subject to their dependencies. */
  finish(): Schedule {
    const pending = [...this.#planned].toSorted((a, b) => a.order - b.order);
    const done = new Set<Planned>();
    const groups: ScheduledGroup[] = [];
    while (pending.length > 0) {
      const ready = pending.findIndex((each) =>
        [...this.#makersOf(each)].every((maker) => maker === each || done.has(maker)),
      );
      const [next] = pending.splice(ready, 1);
      done.add(next);
      groups.push(next);
    }
    // Empty tensors have a place too, although no kernel computes them.
    const kept = new Set(
      [...this.#stored].filter(({ node, size }) => size === 0 || ['Input', 'Constant'].includes(node.operator.name)),
    );
    for (const { group } of groups) for (const tensor of group.outputs) kept.add(tensor);
    return { groups, stored: kept };
  }
}

function shareReads(one: Planned, other: Planned): boolean {
  for (const tensor of one.footprint.reads) if (!isSmall(tensor) && other.footprint.reads.has(tensor)) return true;
  return false;
}

function ownGroup(tensor: Tensor): Group {
  const { node } = tensor;
  const { kind } = loweringOf(node);
  if (kind === 'product') return { kind, node, outputs: [tensor] };
  return { kind: 'map', rows: tensor.size, stages: kind === 'reduction' ? [node] : [], outputs: [tensor] };
}

/** Both groups as one, with the outputs that other groups need; undefined if their rows do not match. */
function joinedGroup(
  one: Group,
  other: Group,
  graphOutputs: ReadonlySet<Tensor>,
  isReadElsewhere: (tensor: Tensor) => boolean,
): Group | undefined {
  const outputs = [...one.outputs, ...other.outputs].filter(
    (tensor) => graphOutputs.has(tensor) || isReadElsewhere(tensor),
  );
  if (one.kind === 'map' && other.kind === 'map') {
    const rows = Math.min(one.rows, other.rows);
    if (one.rows % rows !== 0 || other.rows % rows !== 0) return undefined;
    const stages = [...one.stages, ...other.stages].toSorted((a, b) => a.id - b.id);
    const group: MapGroup = { kind: 'map', rows, stages, outputs };
    // Stages belong to rows: a reduction into more rows than the group has would have to be split.
    if (stages.some(({ outputs: [result] }) => sizeOf(result.shape) !== rows)) return undefined;
    return fitsRows(group) ? group : undefined;
  }
  const product = one.kind === 'product' ? one : other.kind === 'product' ? other : undefined;
  const map = one.kind === 'map' ? one : other.kind === 'map' ? other : undefined;
  if (!product || !map) return undefined;
  if (map.stages.length > 0 || map.rows !== product.node.outputs[0].size) return undefined;
  // The product's elements are only available if the other kernel reads the product itself.
  if (one !== product) return undefined;
  return { kind: 'product', node: product.node, outputs };
}

/** Whether the group's rows can write the outputs: there must be enough rows, or few enough elements. */
function fitsRows(group: MapGroup): boolean {
  const widest = Math.max(1, ...group.outputs.map((output) => columnsOf(group, output)));
  if (widest === 1) return true;
  if (group.rows >= manyRows) return group.stages.length > 0 || widest <= widestAlone;
  return group.rows * widest <= widestOfFew;
}
