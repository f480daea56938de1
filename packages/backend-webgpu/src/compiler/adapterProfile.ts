/** What the compiler needs to know of a device. */
export interface AdapterProfile {
  /** An adapter that computes on the processor: barriers and workgroup memory are slow there. */
  readonly software: boolean;
  /** Whether invocations of a subgroup may be joined, and know which subgroup they are of. */
  readonly subgroups: boolean;
  /** Whether kernels may hold numbers of 16 bits. */
  readonly halves: boolean;
  /** Buffers that a kernel may use. */
  readonly storageBuffers: number;
  /** Bytes of the largest buffer that a kernel may use. */
  readonly storageBufferBytes: number;
  readonly workgroupsPerDimension: number;
  readonly invocationsPerWorkgroup: number;
  readonly workgroupStorageBytes: number;
}
