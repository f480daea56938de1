import { checkerboard, mlp, adam, dopri5, cosineSchedule, builtinPlugins, euler } from '../src/index.ts';
import { createContainer, PluginRegistry, HostRandomStream, trace, f32, grad } from '@flow-matching/core';
describe('scratch', () => {
  it('runs', async () => {
    const d = checkerboard();
    for (let i = 0; i < 5; i++) { const s = performance.now(); await d.batch({ index: 0, size: 1_000_000, seed: 1 }); console.log('ns/pt', (performance.now() - s)); }
    const m = mlp({ width: 8, depth: 3 });
    const p = m.init(new HostRandomStream(0), { shape: [2] });
    console.log(JSON.stringify(p).slice(0, 300));
    const r = new PluginRegistry(createContainer(builtinPlugins));
    const a: any = r.build('optimizer', { name: 'adam', schedule: { name: 'cosine', warmup: 10 } });
    console.log(a, a.schedule.factor(5, 100), r.build('solver', { name: 'dopri5' }), r.build('solver', { name: 'euler', grid: [0, .1, 1] }));
    try { r.build('solver', { name: 'euler', steps: 5, grid: [0, 1] }); } catch (e) { console.log((e as Error).message) }
    try { adam({ schedule: 3 as any }); } catch (e) { console.log((e as Error).message) }
  });
});
