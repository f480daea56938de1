import type { HostArray, Tensor } from '@flow-matching/tensor';

/** A buffer of a program's run: that of an input, created for an output, shared for intermediates, or filled once with a constant. */
export type BufferReference =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'output'; readonly name: string }
  | { readonly kind: 'scratch'; readonly slot: number }
  | { readonly kind: 'constant'; readonly number: number }
  | { readonly kind: 'small' };

/** Where a stored tensor is: a separate buffer, or elements of the buffer of small tensors. */
export type Place =
  { readonly kind: 'buffer'; readonly buffer: BufferReference } | { readonly kind: 'small'; readonly offset: number };

export interface Binding {
  readonly buffer: BufferReference;
  readonly bytes: number;
  readonly writes: boolean;
}

/** One dispatch. */
export interface Kernel {
  /** The operators it computes, for display. */
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Along x and y. */
  readonly workgroups: readonly [number, number];
  /** Bytes of the tensors it reads and writes, each counted once. */
  readonly bytes: number;
}

/** A port of the graph and its place in a run. */
export interface ProgramPort {
  readonly name: string;
  readonly tensor: Tensor;
  readonly place: Place;
}

export interface ProgramOutput extends ProgramPort {
  /** The input whose buffer becomes the output's. */
  readonly reuses?: string;
  /** Where the elements are copied from after all kernels have run. */
  readonly copies?: Place;
}

export interface SmallConstant extends HostArray {
  readonly offset: number;
}

/** A graph as kernels and a memory plan. */
export interface Program {
  readonly kernels: readonly Kernel[];
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramOutput[];
  /** Size of the buffer of small tensors, in elements. */
  readonly smallElements: number;
  readonly smallConstants: readonly SmallConstant[];
  readonly constants: readonly HostArray[];
  /** Size of each buffer for intermediates, in bytes. */
  readonly scratch: readonly number[];
}

export const bufferKey = (buffer: BufferReference): string =>
  buffer.kind === 'small'
    ? 'small'
    : `${buffer.kind} ${'name' in buffer ? buffer.name : 'slot' in buffer ? buffer.slot : buffer.number}`;
