import { f32, trace, type BackendArray } from '@flow-matching/core';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { scalar } from './vectors.ts';

const [warmUp, runs] = [1000, 10_000];
const length = 8192;
const bytes = 4 * length;
/** A leak of one array in eight runs; collected garbage and pools come to less. */
const allowed = (runs / 8) * bytes;

const step = trace(({ state, by }) => ({ state: state.add(by), total: state.sum() }), {
  state: f32([length]),
  by: f32(),
});

export const growthCase: ConformanceCase = lifecycleCase(
  'growth/10000 runs',
  `${runs} steps with a donated state of ${bytes / 1024} KiB do not grow the process.`,
  async (context) => {
    const executable = await context.backend.compile(step, { aliases: [['state', 'state']] });
    let state: BackendArray = context.backend.array({ data: new Float32Array(length), shape: [length], dtype: 'f32' });
    const advance = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const results = await executable.run({ state, by: scalar(1) });
        results['total'].dispose();
        state = results['state'];
      }
    };
    await advance(warmUp);
    const before = residentBytes();
    await advance(runs);
    report(context, before, residentBytes());
    await expectValues(context, 'the state', state, Array(length).fill(warmUp + runs));
    state.dispose();
    await executable.dispose();
  },
);

/** Memory of the process, where there is one to ask: pages in a browser only check that handles stay right. */
function residentBytes(): number | undefined {
  const { process } = globalThis as { process?: { memoryUsage?: () => { rss: number } } };
  return process?.memoryUsage?.().rss;
}

function report(context: CaseContext, before: number | undefined, after: number | undefined): void {
  if (before === undefined || after === undefined) return;
  context.measure({
    what: `${Math.round((after - before) / 2 ** 20)} MiB of growth`,
    ratio: Math.max(0, after - before) / allowed,
    limit: `${Math.round(allowed / 2 ** 20)} MiB: an array in eight runs`,
  });
}
