import { yieldToEventLoop, type Backend } from '@flow-matching/tensor';
import { auditedBackend } from '../backend/auditedBackend.ts';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import { totalsOf, type CaseResult, type ConformanceReport } from '../report/conformanceReport.ts';
import { backendCases } from '../suites/backendCases.ts';
import { runCase } from './runCase.ts';
import { selectCases, type Selection } from './selectCases.ts';

export interface ConformanceOptions extends Selection {
  /** Seed of all draws. Default 0. */
  readonly seed?: number;
  /** The cases to run. Default: all of {@link backendCases}; `pathCases(path)` and similar functions check a plugin. */
  readonly cases?: readonly ConformanceCase[];
  /** Seconds after which a case counts as stuck. Default 120. */
  readonly timeout?: number;
  /** The command that reruns one case, for the report. */
  readonly rerun?: (id: string) => string;
  readonly onResult?: (result: CaseResult, done: number, of: number) => void;
  /** Ends the run after the current case; completed cases are reported. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the suite without a test runner, one case after another. The backends that `create` makes are disposed at the end.
 *
 * @throws OptionError if the selection is empty.
 */
export async function runConformance(
  create: () => Backend | Promise<Backend>,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const { seed = 0, timeout = 120, rerun, onResult, signal } = options;
  const cases = selectCases(options.cases ?? backendCases(), options);
  const began = performance.now();
  const createAudited = async (): Promise<Backend> => auditedBackend(await create());
  await using backend = await createAudited();
  const results: CaseResult[] = [];
  for (const testCase of cases) {
    await yieldToEventLoop();
    if (signal?.aborted) break;
    const result = {
      ...(await runCase(testCase, { backend, create: createAudited, seed, timeout: timeout * 1000 })),
      ...(rerun && { rerun: rerun(testCase.id) }),
    };
    results.push(result);
    onResult?.(result, results.length, cases.length);
  }
  return {
    version: 1,
    backend: { name: backend.name, device: backend.device },
    seed,
    results,
    totals: totalsOf(results),
    passed: results.every(({ status }) => status === 'pass' || status === 'unsupported'),
    milliseconds: performance.now() - began,
  };
}
