import * as fm from '@flow-matching/core';
import { onnx } from '@flow-matching/backend-onnx';
import { prepareGraph } from '@flow-matching/core';
const B = Number(process.argv[2]), W = 512, D = 2, L = 5;
const dims = [D + 1, W, W, W, W, D];
type P = { layers: { w: fm.Tensor; b: fm.Tensor }[] };
const pt = { layers: Array.from({ length: L }, (_, l) => ({ w: fm.f32([dims[l], dims[l + 1]]), b: fm.f32([dims[l + 1]]) })) };
const smin = 1e-5;
function loss(p: P, x0: fm.Tensor, x1: fm.Tensor, t: fm.Tensor) {
  const xt = x0.mul(fm.sub(1, t.mul(1 - smin))).add(t.mul(x1));
  const ut = x1.sub(x0.mul(1 - smin));
  let h = fm.concat([xt, t], 1);
  p.layers.forEach(({ w, b }, l) => { h = h.matmul(w).add(b); if (l < L - 1) h = fm.silu(h); });
  return fm.mean(h.sub(ut).square());
}
const graph = fm.trace(({ p, m, v, x0, x1, t, lrt, c2 }: any) => {
  const { value, gradient } = fm.valueAndGrad((q: P) => loss(q, x0, x1, t), p);
  const out: any = { loss: value, p: { layers: [] }, m: { layers: [] }, v: { layers: [] } };
  p.layers.forEach((layer: any, l: number) => {
    const r: any = { p: {}, m: {}, v: {} };
    for (const k of ['w', 'b']) {
      const g = (gradient as any).layers[l][k];
      r.m[k] = m.layers[l][k].mul(0.9).add(g.mul(0.1));
      r.v[k] = v.layers[l][k].mul(0.999).add(g.mul(g).mul(0.001));
      r.p[k] = layer[k].sub(r.m[k].div(r.v[k].mul(c2).sqrt().add(1e-8)).mul(lrt));
    }
    for (const k of ['p', 'm', 'v']) out[k].layers.push(r[k]);
  });
  return out;
}, { p: pt, m: pt, v: pt, x0: fm.f32([B, D]), x1: fm.f32([B, D]), t: fm.f32([B, 1]), lrt: fm.f32(), c2: fm.f32() } as any);
const opts = process.argv[3] ? JSON.parse(process.argv[3]) : {};
const b = onnx({ threads: 2, ...opts });
const names = graph.inputs.map((i) => i.name).filter((n) => /^[pmv]\./.test(n));
if (process.argv[4] === 'print') { const { fuse } = await import('/work/main/packages/backend-onnx/src/fusion/index.ts'); const g = fuse(prepareGraph(graph, b.manifest, 'onnx').graph); console.log(String(g)); const c: any = {}; g.nodes.forEach((n) => (c[n.operator.name] = (c[n.operator.name] ?? 0) + 1)); console.log(c, g.nodes.length); }
const t0 = performance.now();
const e = await b.compile(graph, { aliases: names.map((n) => [n, n] as const) });
const compileMs = performance.now() - t0;
const rnd = (n: number, s = 1) => Float32Array.from({ length: n }, () => (Math.random() * 2 - 1) * s);
let state: any = {};
for (const { name, tensor } of graph.inputs) if (names.includes(name)) state[name] = b.array({ data: name.startsWith('p.') ? rnd(tensor.size, 1 / Math.sqrt(tensor.shape[0])) : new Float32Array(tensor.size), shape: tensor.shape, dtype: 'f32' });
const batch = { x0: b.array(fm.hostArray(rnd(B * D), [B, D])), x1: b.array(fm.hostArray(rnd(B * D), [B, D])), t: b.array(fm.hostArray(rnd(B).map(Math.abs), [B, 1])), lrt: fm.hostScalar(1e-3), c2: fm.hostScalar(1) };
const times: number[] = [];
const N = Number(process.argv[5] ?? 120);
for (let i = 0; i < N; i++) {
  const s = performance.now();
  const o = await e.run({ ...state, ...batch });
  times.push(performance.now() - s);
  if (i % 40 === 0) console.log(i, (await o.loss.read())[0]);
  const { loss: l, ...next } = o; l.dispose(); state = next;
}
const cut = times.slice(20).sort((a, b) => a - b);
console.log('ours', B, process.argv[3] ?? '', 'median', cut[cut.length >> 1].toFixed(2), 'min', cut[0].toFixed(2), 'compile', compileMs.toFixed(0));
await b.dispose();
if (process.env.DIRECT) {
  const ort: any = (await import('onnxruntime-node')).default;
  const { encodeGraph } = await import('/work/main/packages/backend-onnx/src/model/encodeGraph.ts');
  const { fuse } = await import('/work/main/packages/backend-onnx/src/fusion/index.ts');
  const enc = encodeGraph(fuse(prepareGraph(graph, b.manifest, 'onnx').graph));
  (await import('node:fs')).writeFileSync('/tmp/onnxwork/ours_' + B + '.onnx', enc.bytes);
  const s = await ort.InferenceSession.create(enc.bytes, { executionProviders: ['cpu'], intraOpNumThreads: 2, logSeverityLevel: 3, ...opts.session });
  const T = (a: any, d: any) => new ort.Tensor('float32', a, d);
  const feeds: any = {};
  for (const { name, tensor } of enc.inputs) feeds[name] = T(name === 'c2' ? Float32Array.of(1) : name === 'lrt' ? Float32Array.of(1e-3) : /^[mv]/.test(name) ? new Float32Array(tensor.size) : rnd(tensor.size, name.startsWith('p.') ? 1 / Math.sqrt(tensor.shape[0]) : 1), tensor.shape);
  feeds.t.data.forEach((x: number, i: number) => (feeds.t.data[i] = Math.abs(x)));
  const fetches = [0, 1].map(() => Object.fromEntries(enc.outputs.map(({ value, tensor }: any) => [value, T(new Float32Array(tensor.size), tensor.shape)])));
  const ts: number[] = [];
  for (let i = 0; i < N; i++) {
    const t1 = performance.now();
    const o = await s.run(feeds, fetches[i & 1]);
    for (const { name, value } of enc.outputs) if (names.includes(name)) feeds[name] = o[value];
    ts.push(performance.now() - t1);
  }
  const c = ts.slice(20).sort((a, b) => a - b);
  console.log('direct', B, 'median', c[c.length >> 1].toFixed(2), 'min', c[0].toFixed(2));
}
