import type { Backend } from '@flow-matching/tensor';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';

const ownRequire = createRequire(import.meta.url);

/** The version of this package. */
export const ownVersion = (): string => (ownRequire('../../package.json') as { version: string }).version;

/** Versions of the packages that results depend on, including optional ones that are installed. */
export function versions(): Record<string, string> {
  const found = {
    'flow-matching': ownVersion(),
    node: process.versions.node,
    'onnxruntime-node': packageVersion(backendRequire() ?? ownRequire, 'onnxruntime-node'),
  };
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The version of a package found by `require`. */
function packageVersion(require: NodeJS.Require, name: string): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** ONNX Runtime is a dependency of the ONNX backend and may not be visible from this package. */
function backendRequire(): NodeJS.Require | undefined {
  try {
    return createRequire(import.meta.resolve('@flow-matching/backend-onnx'));
  } catch {
    return undefined;
  }
}

/** The environment of a training. */
export const environmentOf = (backend: Backend): Record<string, unknown> => ({
  backend: backend.name,
  device: backend.device,
  processors: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
  versions: versions(),
});
