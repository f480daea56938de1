import { f32, gather, hostArray, i32, trace } from '@flow-matching/tensor';
import { onnx } from '@flow-matching/backend-onnx';

// Runs a graph that fails on the device, and prints the error's message.

await using backend = onnx({ threads: 1 });
const executable = await backend.compile(trace(({ x, i }) => gather(x, i), { x: f32([2]), i: i32([2]) }));
try {
  await executable.run({ x: hostArray([1, 2]), i: hostArray(Int32Array.of(0, 5)) });
} catch (error) {
  process.stdout.write((error as Error).message);
}
