import { f32, trace, type BackendArray, type Graph } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { expectValues } from './expectValues.ts';
import { lifecycleCase } from './lifecycleCase.ts';
import { scalar } from './vectors.ts';

// Heaps and pools take some thousand runs to reach their final size.
const [warmUp, runs] = [4000, 10_000];
const length = 8192;
const bytes = 4 * length;
/** Number of runs between two memory measurements. */
const stride = 500;
/** A leak of one array in eight runs, over half of them. */
const allowed = (runs / 2 / 8) * bytes;

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
    const sizes: (number | undefined)[] = [];
    for (let done = 0; done < runs; done += stride) {
      await advance(stride);
      await collectGarbage();
      sizes.push(residentBytes());
    }
    report(context, sizes);
    await expectValues(context, 'the state', state, Array(length).fill(warmUp + runs));
    state.dispose();
    await executable.dispose();
  },
);

/** Number of graphs compiled before the first measurement, while bounded caches fill up, and then in each round. */
const [firstCompilations, compilations] = [100, 200];
/** A heap may grow in one round; a leak grows in every round. */
const rounds = 4;
/** A leak of 64 KiB per compilation is twice that. */
const allowedByRound = compilations * 32 * 1024;

/** Every graph is different, so that none is cached. */
const numbered = (index: number): Graph =>
  trace(({ x }) => ({ y: x.mul(index).add(1), total: x.sum() }), { x: f32([64]) });

export const compilationGrowthCase: ConformanceCase = lifecycleCase(
  'growth/compilations',
  `Graphs that are compiled, run and disposed, ${compilations} after ${compilations}, do not grow the process for good.`,
  async (context) => {
    const ones = { data: new Float32Array(64).fill(1), shape: [64], dtype: 'f32' } as const;
    const once = async (index: number): Promise<void> => {
      const executable = await context.backend.compile(numbered(index));
      const bound = executable.bind({});
      const results = await bound.run({ x: ones });
      if (index % 100 === 0) await expectValues(context, `graph ${index}`, results['y'], Array(64).fill(index + 1));
      for (const array of Object.values(results)) array.dispose();
      await bound.dispose();
      await executable.dispose();
    };
    let index = 0;
    while (index < firstCompilations) await once(index++);
    /** The smallest size of the process during a round. */
    const round = async (): Promise<number | undefined> => {
      const sizes: (number | undefined)[] = [];
      for (const end = index + compilations; index < end;) {
        await once(index++);
        if (index % 20 !== 0) continue;
        await collectGarbage();
        sizes.push(residentBytes());
      }
      const known = sizes.filter((size) => size !== undefined);
      return known.length > 0 ? Math.min(...known) : undefined;
    };
    let before = await round();
    let growth = Infinity;
    for (let i = 1; i < rounds && growth > allowedByRound; i++) {
      const after = await round();
      if (before === undefined || after === undefined) return;
      growth = after - before;
      before = after;
    }
    reportGrowth(context, growth, allowedByRound, `in one of ${rounds - 1} rounds: 32 KiB a compilation`);
  },
);

/**
 * Triggers garbage collection by allocating memory that is never touched: it counts for the collector but takes no pages.
 * Blocks above 32 MiB are separate mappings of the system; the heap keeps smaller ones when they are freed, and a leak could
 * then hide in them.
 */
async function collectGarbage(): Promise<void> {
  let asked = 0;
  for (let i = 0; i < 8; i++) asked += new Float64Array(2 ** 23).length;
  void asked;
  // Handles of native objects are finalized between turns of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Memory of the process, if available: in a browser, only handles are checked. */
function residentBytes(): number | undefined {
  const { process } = globalThis as { process?: { memoryUsage?: () => { rss: number } } };
  return process?.memoryUsage?.().rss;
}

/** Compares minima, because garbage stays until it is collected. */
function report(context: CaseContext, sizes: readonly (number | undefined)[]): void {
  const known = sizes.filter((size) => size !== undefined);
  if (known.length === 0) return;
  const [first, second] = [known.slice(0, known.length / 2), known.slice(known.length / 2)];
  const growth = Math.min(...second) - Math.min(...first);
  reportGrowth(context, growth, allowed, 'from the first half to the second: an array in eight runs');
}

const reportGrowth = (context: CaseContext, growth: number, most: number, because: string): void =>
  context.measure({
    what: `${(growth / 2 ** 20).toFixed(1)} MiB of growth`,
    ratio: Math.max(0, growth) / most,
    limit: `${(most / 2 ** 20).toPrecision(3)} MiB ${because}`,
  });
