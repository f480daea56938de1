/** What the compiler needs to know of a device. */
export interface AdapterProfile {
  /** The adapter computes on the CPU, where barriers and workgroup memory are slow. */
  readonly software: boolean;
  /** Whether subgroup operations are available, with the index of the subgroup. */
  readonly subgroups: boolean;
  /** Whether kernels may use 16-bit floats. */
  readonly halves: boolean;
  /** Number of storage buffers a kernel may bind. */
  readonly storageBuffers: number;
  /** Size in bytes of the largest buffer a kernel may bind. */
  readonly storageBufferBytes: number;
  readonly workgroupsPerDimension: number;
  readonly invocationsPerWorkgroup: number;
  readonly workgroupStorageBytes: number;
}
