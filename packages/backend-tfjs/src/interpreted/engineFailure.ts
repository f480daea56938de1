import { BackendError } from '@flow-matching/tensor';
import type { StartedEngine } from './engines/engine.ts';

/** The error of an engine that failed in an earlier run; undefined while it works. */
export const engineFailure = ({ kind, lost }: StartedEngine): BackendError | undefined =>
  lost === undefined
    ? undefined
    : new BackendError(`TensorFlow.js's ${kind.name} engine failed in an earlier run: ${lost}`, {
        expected: 'a working engine',
        remedy: 'Restart the process.',
      });
