import * as fm from '@flow-matching/core';
import { onnx } from '@flow-matching/backend-onnx';
const b = onnx({ threads: 2 });
async function time(name: string, f: (...x: fm.Tensor[]) => fm.Tensor | fm.Tensor[], shapes: number[][], reps = 300) {
  const ports = shapes.map((shape, i) => ({ name: `x${i}`, tensor: fm.input(`x${i}`, { shape, dtype: 'f32' }) }));
  const out = [f(...ports.map((p) => p.tensor))].flat();
  const e = await b.compile(new fm.Graph(ports, out.map((tensor, i) => ({ name: `y${i}`, tensor }))));
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, b.array(fm.hostArray(Float32Array.from({ length: fm.sizeOf(shape) }, () => Math.random() * 2 - 1), shape))]));
  const ts: number[] = [];
  for (let i = 0; i < reps; i++) { const t = performance.now(); const o = await e.run(inputs); ts.push(performance.now() - t); Object.values(o).forEach((a) => a.dispose()); }
  ts.sort((x, y) => x - y);
  console.log(name.padEnd(40), JSON.stringify(shapes).padEnd(30), 'median', ts[reps >> 1].toFixed(3), 'min', ts[0].toFixed(3));
}
export { time, fm, b };
await time('empty', (x) => x.add(1), [[2]]);
for (const B of [256, 4096]) {
  await time('ReduceSum axis 0', (x) => x.sum(0), [[B, 512]]);
  await time('ones·x', (x) => fm.ones([1, B]).matmul(x), [[B, 512]]);
  await time('ReduceSum axis 1', (x) => x.sum(1), [[B, 512]]);
  await time('x·ones', (x) => x.matmul(fm.ones([512, 1])), [[B, 512]]);
  await time('sum all', (x) => x.sum(), [[B, 512]]);
  await time('sum all squares', (x) => x.mul(x).sum(), [[B, 512]]);
  await time('silu QuickGelu', (x) => fm.silu(x), [[B, 512]]);
  await time('silu and sigmoid', (x) => [fm.silu(x), fm.sigmoid(x)], [[B, 512]]);
  await time('sigmoid', (x) => fm.sigmoid(x), [[B, 512]]);
  await time('mul', (x, y) => x.mul(y), [[B, 512], [B, 512]]);
  await time('mul scalar', (x) => x.mul(3), [[B, 512]]);
  await time('1-x', (x) => fm.sub(1, x), [[B, 512]]);
  await time('tanh', (x) => fm.tanh(x), [[B, 512]]);
  await time('gelu', (x) => fm.gelu(x), [[B, 512]]);
  await time('exp', (x) => fm.exp(x), [[B, 512]]);
  await time('softplus', (x) => fm.softplus(x), [[B, 512]]);
}
await time('ReduceSum 0,2,3', (x) => x.sum([0, 2, 3]), [[16, 128, 32, 32]], 60);
await time('mean last of layernorm', (x) => fm.layerNorm(x, { scale: fm.ones([512]), bias: fm.zeros([512]) }), [[1024, 512]], 60);
await time('groupnorm', (x) => fm.groupNorm(x, 32, { scale: fm.ones([128]), bias: fm.zeros([128]) }), [[16, 128, 32, 32]], 60);
await b.dispose();
