import { PluginRegistry } from '@flow-matching/core';
import {
  BackendError,
  createReferenceBackend,
  hostArray,
  silu,
  trace,
  type Backend,
  type Graph,
  type TypedArray,
} from '@flow-matching/tensor';
import type { Container } from 'inversify';
import type { DeviceProbe, ProbeResult } from './deviceProbes.ts';

/** Runs a layer of a network on a device and compares it with the reference. @throws what the backend throws; BackendError for wrong numbers. */
export async function probeDevice(
  root: Container,
  { backend: name, device, spec, named = false, note }: DeviceProbe,
): Promise<ProbeResult> {
  const began = performance.now();
  const graph = trace(({ x, weight }) => ({ y: silu(x.matmul(weight)).sum([0]) }), {
    x: { shape: [8, 16], dtype: 'f32' },
    weight: { shape: [16, 4], dtype: 'f32' },
  });
  await using backend: Backend = await new PluginRegistry(root).build('backend', spec);
  await using reference = createReferenceBackend();
  const [actual, expected] = [await outputOf(backend, graph), await outputOf(reference, graph)];
  const error = Math.max(
    ...Array.from(expected, (value, i) => Math.abs(actual[i] - value) / Math.max(1, Math.abs(value))),
  );
  if (!(error < 1e-4))
    throw new BackendError(`The numbers are wrong: the largest relative error is ${error.toPrecision(2)}.`, {
      actual: error,
      expected: 'an error below 1e-4',
    });
  const milliseconds = Math.round(performance.now() - began);
  return {
    backend: name,
    // For a device that must be requested explicitly, the backend itself says less.
    device: named || backend.device.startsWith(device) ? backend.device : device,
    works: true,
    detail: `relative error ${error.toExponential(0)}, ${milliseconds} ms with loading`,
    ...(note && { note: await note() }),
  };
}

/** Numbers of all sizes and signs. */
const waves = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i));

async function outputOf(backend: Backend, graph: Graph): Promise<TypedArray> {
  const executable = await backend.compile(graph);
  const { y } = await executable.run({ x: hostArray(waves(128), [8, 16]), weight: hostArray(waves(64), [16, 4]) });
  const values = await y.read();
  y.dispose();
  await executable.dispose();
  return values;
}
