import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WebgpuWork } from './webgpuWorks.ts';

const program = fileURLToPath(new URL('kernelProfile.ts', import.meta.url));

/** Times our kernels in a process that has the adapter's environment. */
export function profileKernels(works: readonly WebgpuWork[], environment: Readonly<Record<string, string>>): void {
  const { status } = spawnSync(process.execPath, [...process.execArgv, program, JSON.stringify(works)], {
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
