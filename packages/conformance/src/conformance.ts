import type {
  Coupling,
  Objective,
  Optimizer,
  Path,
  Schedule,
  TimeSampler,
  VectorFieldModel,
} from '@flow-matching/core';
import { UnsupportedError, type Backend } from '@flow-matching/tensor';
import { auditedBackend } from './backend/auditedBackend.ts';
import type { ConformanceCase } from './case/conformanceCase.ts';
import { ConformanceError } from './case/conformanceError.ts';
import { levelTitles } from './case/level.ts';
import { singleReference } from './rounding/singleReference.ts';
import { runCase } from './run/runCase.ts';
import { selectCases, type Selection } from './run/selectCases.ts';
import { backendCases } from './suites/backendCases.ts';
import { couplingCases, type CouplingCaseOptions } from './suites/couplingCases.ts';
import { objectiveCases, type ObjectiveCaseOptions } from './suites/objectiveCases.ts';
import { optimizerCases, type OptimizerCaseOptions } from './suites/optimizerCases.ts';
import { scheduleCases, type ScheduleCaseOptions } from './suites/scheduleCases.ts';
import { timeSamplerCases, type TimeSamplerCaseOptions } from './suites/timeSamplerCases.ts';
import { modelCases, type ModelCaseOptions } from './suites/modelCases.ts';
import { pathCases, type PathCaseOptions } from './suites/pathCases.ts';
import type { MakeSolver } from './suites/makeSolver.ts';
import { solverCases, type SolverCaseOptions } from './suites/solverCases.ts';

/** The test runner that cases are registered with: mocha, Vitest, Jest, or any with these functions. */
export interface TestRunner {
  readonly describe: (title: string, define: () => void) => unknown;
  /**
   * `this` or the first argument of the body has a `skip()`, which ends unsupported cases. Cases have their own time limit, so
   * the runner must not end them sooner: Vitest and Jest take the milliseconds after the body, mocha has a `timeout()` on
   * `this`.
   */
  readonly it: (
    title: string,
    body: (this: unknown, ...context: unknown[]) => Promise<void>,
    timeout: number,
  ) => unknown;
  /** Runs after the cases of a `describe`. */
  readonly after?: (body: () => Promise<void>) => unknown;
  readonly afterAll?: (body: () => Promise<void>) => unknown;
}

export interface RegisterOptions extends Selection {
  /** Default: the globals `describe`, `it` and `after` or `afterAll`. */
  readonly test?: TestRunner;
  readonly seed?: number;
  /** Seconds after which a case counts as stuck. Default 120. */
  readonly timeout?: number;
}

export interface BackendOptions extends RegisterOptions {
  /** Makes a backend; called once for the suite and again by cases that need a separate one. */
  readonly backend: () => Backend | Promise<Backend>;
  /** Default {@link backendCases}. */
  readonly cases?: readonly ConformanceCase[];
}

/** Options for checking a plugin. */
export interface PluginOptions extends RegisterOptions {
  /** Default: the reference with every result rounded to f32, so that formulas that lose their digits in f32 fail. */
  readonly backend?: () => Backend | Promise<Backend>;
}

/** Registers the suite's cases for a backend with a test runner, one `describe` per level. */
export function conformance({ test = globalRunner(), backend: create, ...options }: BackendOptions): void {
  const { seed = 0, timeout = 120 } = options;
  const cases = selectCases(options.cases ?? backendCases(), options);
  const createAudited = async (): Promise<Backend> => auditedBackend(await create());
  let shared: Promise<Backend> | undefined;
  for (const level of new Set(cases.map((testCase) => testCase.level))) {
    test.describe(`conformance level ${level}: ${levelTitles[level]}`, () => {
      for (const testCase of cases.filter((candidate) => candidate.level === level)) {
        // This time also covers making the backend and reporting a stuck case.
        const runnerTimeout = 2 * timeout * 1000;
        const body = async function (this: unknown, ...context: unknown[]): Promise<void> {
          (this as { timeout?: (milliseconds: number) => void } | undefined)?.timeout?.(runnerTimeout);
          shared ??= createAudited();
          const { status, message } = await runCase(testCase, {
            backend: await shared,
            create: createAudited,
            seed,
            timeout: timeout * 1000,
          });
          if (status === 'unsupported') skip(this, context[0], message!);
          else if (status !== 'pass') throw new ConformanceError(message!);
        };
        test.it(`${testCase.id}: ${testCase.claim}`, body, runnerTimeout);
      }
      (test.after ?? test.afterAll)?.(async () => {
        const done = shared;
        shared = undefined;
        await (await done)?.dispose();
      });
    });
  }
}

/**
 * Registers the checks that every path must pass.
 *
 *     conformance.path(myPath, { dataScale: 4 })
 */
conformance.path = (path: Path, options: PluginOptions & PathCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: pathCases(path, options) });

/**
 * Registers the checks that every solver must pass. `make` takes `{ steps }`, `{ rtol, atol }` or either.
 *
 *     conformance.solver(({ steps }) => explicitRungeKutta('mine', tableau, { steps }))
 */
conformance.solver = (make: MakeSolver, options: PluginOptions & SolverCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: solverCases(make, options) });

/**
 * Registers the checks that every model must pass.
 *
 *     conformance.model(myModel, { shape: [3, 32, 32] })
 */
conformance.model = (model: VectorFieldModel, options: PluginOptions & ModelCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: modelCases(model, options) });

/** Registers the checks that every objective must pass. */
conformance.objective = (objective: Objective, options: PluginOptions & ObjectiveCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: objectiveCases(objective, options) });

/** Registers the checks that every time sampler must pass. */
conformance.timeSampler = (sampler: TimeSampler, options: PluginOptions & TimeSamplerCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: timeSamplerCases(sampler, options) });

/** Registers the checks that every coupling must pass. */
conformance.coupling = (coupling: Coupling, options: PluginOptions & CouplingCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: couplingCases(coupling, options) });

/** Registers the checks that every optimizer must pass. */
conformance.optimizer = (optimizer: Optimizer, options: PluginOptions & OptimizerCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: optimizerCases(optimizer, options) });

/** Registers the checks that every schedule must pass. */
conformance.schedule = (schedule: Schedule, options: PluginOptions & ScheduleCaseOptions = {}): void =>
  conformance({ backend: singleReference, ...options, cases: scheduleCases(schedule, options) });

function globalRunner(): TestRunner {
  const { describe, it, after, afterAll } = globalThis as Partial<TestRunner>;
  if (describe && it) return { describe, it, ...(after && { after }), ...(afterAll && { afterAll }) };
  throw new UnsupportedError('There is no test runner.', {
    expected: 'describe and it as globals, or as the option test',
    remedy: 'Use runConformance to run without one.',
  });
}

/** Ends a case as skipped: an unsupported case must never look like a pass. */
function skip(self: unknown, context: unknown, reason: string): void {
  for (const place of [self, context]) {
    const skipping = (place as { skip?: unknown } | undefined)?.skip;
    if (typeof skipping === 'function') {
      skipping.call(place, reason);
      return;
    }
  }
  throw new UnsupportedError(reason);
}
