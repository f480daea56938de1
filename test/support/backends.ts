import { onnx } from '@flow-matching/backend-onnx';
import { createReferenceBackend, type Backend } from '@flow-matching/tensor';

/** Every backend that cross-package tests run on, with the relative round-off of its float arithmetic. */
export const backends: readonly { readonly name: string; readonly roundOff: number; readonly create: () => Backend }[] =
  [
    { name: 'reference', roundOff: 2 ** -52, create: () => createReferenceBackend() },
    { name: 'onnx', roundOff: 2 ** -23, create: () => onnx({ threads: 1 }) },
  ];

/** Registers the same tests once for each backend. */
export function onEachBackend(title: string, define: (backend: () => Backend, roundOff: number) => void): void {
  for (const { name, roundOff, create } of backends) {
    describe(`${title} (${name})`, () => {
      let backend: Backend;
      before(() => {
        backend = create();
      });
      after(() => backend.dispose());
      define(() => backend, roundOff);
    });
  }
}
