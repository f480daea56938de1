import { globals } from 'webgpu';
import { onUncapturedError } from './onUncapturedError.ts';

const faults: string[] = [];
const { GPUAdapter } = globals as { GPUAdapter: { prototype: GPUAdapter } };
onUncapturedError(GPUAdapter, (message) => void faults.push(message));

/** What went wrong, uncaught, on Dawn's devices since the last call. */
export const takeFaults = (): string[] => faults.splice(0);
