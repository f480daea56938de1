import type { HostArray, Tensor } from '@flow-matching/tensor';

/** A buffer of a program's run: given with an input, made for an output, shared for what lies between, or filled once with a constant. */
export type BufferReference =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'output'; readonly name: string }
  | { readonly kind: 'scratch'; readonly slot: number }
  | { readonly kind: 'constant'; readonly number: number }
  | { readonly kind: 'small' };

/** Where a stored tensor is: a buffer of its own, or elements of the buffer of small tensors. */
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
  /** Bytes of the tensors it reads and writes, each once. */
  readonly bytes: number;
}

/** An array of the graph's and where the run has it. */
export interface ProgramPort {
  readonly name: string;
  readonly tensor: Tensor;
  readonly place: Place;
}

export interface ProgramOutput extends ProgramPort {
  /** The input whose buffer becomes the output's. */
  readonly reuses?: string;
  /** Where the elements are to be copied from once all kernels have run. */
  readonly copies?: Place;
}

export interface SmallConstant extends HostArray {
  readonly offset: number;
}

/** A graph as kernels and a plan of their memory. */
export interface Program {
  readonly kernels: readonly Kernel[];
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramOutput[];
  /** Elements of the buffer of small tensors. */
  readonly smallElements: number;
  readonly smallConstants: readonly SmallConstant[];
  readonly constants: readonly HostArray[];
  /** Bytes of each buffer for what lies between kernels. */
  readonly scratch: readonly number[];
}

export const bufferKey = (buffer: BufferReference): string =>
  buffer.kind === 'small'
    ? 'small'
    : `${buffer.kind} ${'name' in buffer ? buffer.name : 'slot' in buffer ? buffer.slot : buffer.number}`;
