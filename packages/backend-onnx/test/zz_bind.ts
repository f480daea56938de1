import * as fm from '@flow-matching/core';
import { onnx } from '@flow-matching/backend-onnx';
const dims = [3, 512, 512, 512, 512, 2];
const b = onnx({ threads: 2 });
const W = dims.slice(1).map((n, l) => Float32Array.from({ length: n * dims[l] }, () => (Math.random() * 2 - 1) / Math.sqrt(dims[l])));
for (const B of [16, 64, 256, 1024]) {
  const mlp = (x: fm.Tensor, w: fm.Tensor[]) => w.reduce((h, wi, l) => { const z = h.matmul(wi); return l < 4 ? fm.silu(z) : z; }, x);
  const fed = await b.compile(fm.trace(({ x, w }: any) => mlp(x, w), { x: fm.f32([B, 3]), w: dims.slice(1).map((n, l) => fm.f32([dims[l], n])) } as any));
  const t0 = performance.now();
  const fixed = await b.compile(fm.trace(({ x }: any) => mlp(x, W.map((w, l) => fm.constant(w as any, 'f32', [dims[l], dims[l + 1]]))), { x: fm.f32([B, 3]) } as any));
  const c = performance.now() - t0;
  const x = b.array(fm.hostArray(Float32Array.from({ length: B * 3 }, Math.random), [B, 3]));
  const ws = Object.fromEntries(W.map((w, l) => [`w.${l}`, b.array(fm.hostArray(w, [dims[l], dims[l + 1]]))]));
  const run = async (e: fm.Executable, i: any) => { const ts: number[] = []; for (let k = 0; k < 150; k++) { const t = performance.now(); const o = await e.run(i); ts.push(performance.now() - t); o.output.dispose(); } ts.sort((a, z) => a - z); return `${ts[75].toFixed(3)} (${ts[0].toFixed(3)})`; };
  { const p = await (await fed.run({ x, ...ws })).output.read(), q = await (await fixed.run({ x })).output.read(); let d = 0; p.forEach((v, i) => (d = Math.max(d, Math.abs(v - q[i])))); console.log('max difference', d); }
  for (let r = 0; r < 0; r++) console.log(B, 'fed', await run(fed, { x, ...ws }), 'fixed', await run(fixed, { x }), 'compile', c.toFixed(0));
}
await b.dispose();
