import type { Backend } from '@flow-matching/tensor';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';

const ownRequire = createRequire(import.meta.url);

/** The version of this package. */
export const ownVersion = (): string => (ownRequire('../../package.json') as { version: string }).version;

/** Versions of what results depend on; those of optional parts where they are installed. */
export function versions(): Record<string, string> {
  const found = {
    'flow-matching': ownVersion(),
    node: process.versions.node,
    'onnxruntime-node': packageVersion(backendRequire() ?? ownRequire, 'onnxruntime-node'),
  };
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The version of a package, as `require` finds it. */
function packageVersion(require: NodeJS.Require, name: string): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** The ONNX backend has ONNX Runtime; this package need not see it. */
function backendRequire(): NodeJS.Require | undefined {
  try {
    return createRequire(import.meta.resolve('@flow-matching/backend-onnx'));
  } catch {
    return undefined;
  }
}

/** What a training runs on. */
export const environmentOf = (backend: Backend): Record<string, unknown> => ({
  backend: backend.name,
  device: backend.device,
  processors: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
  versions: versions(),
});
