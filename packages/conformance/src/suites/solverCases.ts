import { SolverError, type Solver } from '@flow-matching/core';
import { FlowMatchingError, reciprocal, type HostArray, type Tensor } from '@flow-matching/tensor';
import type { CaseContext, ConformanceCase } from '../case/conformanceCase.ts';
import { claim } from '../case/conformanceError.ts';
import { bounded, close, roundOff } from '../case/limit.ts';
import { compareNumbers } from '../case/measurement.ts';
import { compare } from '../mathematics/compare.ts';
import { floats } from '../mathematics/evaluate.ts';
import { rootedTrees, treeField } from '../mathematics/rootedTrees.ts';
import { rotor, rotorAngle, rotorEnds, rotorGrowth, rotorStarts } from '../mathematics/rotor.ts';
import { logSlope, orderSlope, roundOffFloor } from '../mathematics/orderSlope.ts';
import type { MakeSolver, SolverOptions } from './makeSolver.ts';
import { compileSolve, solveOnce, type CompiledSolve, type Field } from '../mathematics/solve.ts';
import { stochasticSolverCases } from '../mathematics/stochasticSolverCases.ts';

export interface SolverCaseOptions {
  /** The label in ids. Default: the solver's name. */
  readonly label?: string;
}

/** The checks that every solver must pass: level 4 with the ids `L4/<label>/…`, for fixed and adaptive steps if it has both. */
export function solverCases(make: MakeSolver, { label }: SolverCaseOptions = {}): readonly ConformanceCase[] {
  const fixed = modeOf(make, { steps: stepCount }, (solver) => !solver.adaptive);
  const adaptive = modeOf(make, { rtol: 1e-4, atol: 1e-4 }, (solver) => solver.adaptive);
  const limited = modeOf(
    make,
    { ...tolerances(1e-6), maxSteps: 2 },
    (solver) => solver.adaptive && solver.maxSteps === 2,
  );
  const any = fixed ?? adaptive;
  if (!any) return [unusable(label ?? 'solver', make)];
  const name = label ?? any.name;
  if (any.stochastic) return stochasticSolverCases(make, name);
  const each = (part: string, claimed: string, run: (context: CaseContext) => Promise<void>): ConformanceCase => ({
    id: `L4/${name}/${part}`,
    level: 4,
    dtype: 'f32',
    claim: claimed,
    run,
  });
  return [
    ...(fixed
      ? [
          each('order', `${stepCount} steps are off by O(h^${any.order + 1})`, (context) =>
            measureOrder(context, make, 1),
          ),
          each('order conditions', `one step meets the order conditions up to order ${any.order}`, (context) =>
            measureConditions(context, make),
          ),
          each('order backwards', 'so they are where time runs backwards', (context) =>
            measureOrder(context, make, -1),
          ),
          each('kept states', 'states kept inside the steps are of order 3, or of the order of the method', (context) =>
            measureKept(context, make),
          ),
          each('fixed steps', 'steps and evaluations are counted, the end is met, samples are independent', (context) =>
            checkFixedSteps(context, make),
          ),
        ]
      : []),
    ...(adaptive
      ? [
          each('tolerance', 'errors stay near the tolerance, and fall with it', (context) =>
            measureTolerance(context, make),
          ),
          each('error estimate', 'steps grow in number as the error estimate’s order says', (context) =>
            measureEstimate(context, make),
          ),
          each(
            'kept states by tolerance',
            'states kept inside adaptive steps are as near as a cubic between their ends',
            (context) => measureKeptByTolerance(context, make),
          ),
          each('backwards', 'integrates back to where it came from', (context) => measureReturn(context, make)),
          each('counts', 'evaluations, accepted and rejected steps are counted', (context) =>
            checkCounts(context, make),
          ),
          each('interval', 'never leaves the interval and ends on the dot', (context) => checkInterval(context, make)),
          each('padding', 'padding has no part in errors and steps', (context) => measurePadding(context, make)),
          each('neighbours', 'with steps of its own a sample does not depend on its neighbours', (context) =>
            measureNeighbours(context, make),
          ),
          each('failures', 'fields that are not finite or blow up end in a SolverError or a status', (context) =>
            checkFailures(context, make),
          ),
          each('stiff', 'follows a stiff relaxation, or says that it does not', (context) =>
            measureStiff(context, make),
          ),
        ]
      : []),
    ...(limited
      ? [
          each('max steps', 'ends with the status maxSteps, the last state kept', (context) =>
            checkMaxSteps(context, limited),
          ),
        ]
      : []),
  ];
}

/** The solver with these options, if it supports them. */
function modeOf(make: MakeSolver, options: SolverOptions, isMode: (solver: Solver) => boolean): Solver | undefined {
  try {
    const solver = make(options);
    return isMode(solver) ? solver : undefined;
  } catch (error) {
    if (error instanceof FlowMatchingError) return undefined;
    throw error;
  }
}

const unusable = (name: string, make: MakeSolver): ConformanceCase => ({
  id: `L4/${name}/options`,
  level: 4,
  claim: 'is made from { steps } or { rtol, atol }',
  async run() {
    make({ rtol: 1e-4, atol: 1e-4 });
    make({ steps: stepCount });
    claim(false, 'The solver is neither made of fixed steps nor adaptive.', { expected: 'one of both' });
  },
});

const stepCount = 4;

/** Interval lengths from 6 down to about 10⁻³: the errors of orders 1 to 9 pass through the range that f32 resolves. */
const spans = Array.from({ length: 50 }, (_, k) => 6 * 2 ** (-k / 4));

async function measureOrder(context: CaseContext, make: MakeSolver, direction: 1 | -1): Promise<void> {
  const solver = make({ steps: stepCount });
  const field = direction === 1 ? rotor : mirrored(rotor);
  await using compiled = await compileSolve(context.backend, solver, field, rotorStarts);
  const errors = [];
  for (const span of spans.map(Math.fround)) {
    const solved = await finished(compiled.run(rotorStarts, { start: 0, end: direction * span }));
    if (!solved) continue;
    const exact = rotorEnds(span);
    const squares = exact.reduce((sum, value, i) => sum + (solved.end.data[i] - value) ** 2, 0);
    errors.push({ h: span / stepCount, error: Math.sqrt(squares / exact.length) });
    if (errors.at(-1)!.error < roundOffFloor) break;
  }
  const slope = orderSlope(errors);
  claim(slope !== undefined, `The errors are ${errors.map(({ error }) => error.toPrecision(2)).join(', ')}.`, {
    expected: 'errors that fall to round-off as a power of h',
  });
  context.measure(
    compareNumbers(
      `the order, as the slope of log error over log h, at most ${solver.order}`,
      Math.min(slope, solver.order),
      solver.order,
      close(0.5, 0, 'half way to the next lower order'),
    ),
  );
}

/** A solve's result; undefined if it overflows, as steps that are far too long for the problem do. */
const finished = (solving: ReturnType<CompiledSolve['run']>): Promise<Awaited<typeof solving> | undefined> =>
  solving.catch((error: unknown) => {
    if (error instanceof SolverError) return undefined;
    throw error;
  });

/** Fractions of the interval inside the steps of {@link stepCount}, each at a different position within its step. */
const inside = [0.03, 0.11, 0.19, 0.29, 0.36, 0.44, 0.57, 0.65, 0.69, 0.78, 0.87, 0.96];
/** Order of the default interpolant, the cubic through both ends. */
const cubic = 3;

async function measureKept(context: CaseContext, make: MakeSolver): Promise<void> {
  const solver = make({ steps: stepCount });
  await using compiled = await compileSolve(context.backend, solver, rotor, rotorStarts, {}, inside.length);
  const errors = [];
  for (const span of spans.map(Math.fround)) {
    const times = inside.map((share) => Math.fround(share * span));
    const solved = await finished(compiled.run(rotorStarts, { start: 0, end: span, times }));
    if (!solved) continue;
    errors.push({ h: span / stepCount, error: keptError(solved.kept!['y'], times) });
    if (errors.at(-1)!.error < roundOffFloor) break;
  }
  const wanted = Math.min(cubic, solver.order);
  const slope = orderSlope(errors);
  claim(slope !== undefined, `The errors are ${errors.map(({ error }) => error.toPrecision(2)).join(', ')}.`, {
    expected: 'errors that fall to round-off as a power of h',
  });
  context.measure(
    compareNumbers(
      `the order of kept states, as the slope of log error over log h, at most ${wanted}`,
      Math.min(slope, wanted),
      wanted,
      close(0.5, 0, 'half way to the next lower order'),
    ),
  );
}

/** The largest error of kept states [4, times, 2]. */
function keptError({ data }: HostArray, times: readonly number[]): number {
  const errors = times.flatMap((time, k) =>
    rotorEnds(time).map((value, i) => {
      const [row, coordinate] = [Math.floor(i / 2), i % 2];
      return Math.abs(data[(row * times.length + k) * 2 + coordinate] - value);
    }),
  );
  return Math.max(...errors);
}

/** Numbers of steps at tolerances for which the last should take about three times as many as the first. */
async function stepsByTolerance({ backend }: CaseContext, make: MakeSolver) {
  const { order } = make(tolerances(rough));
  // Steps grow as tolerance^(−1/order); f32 resolves no tolerance below 10⁻⁶.
  const range = Math.min(3 ** order, 3e3);
  const solves = [];
  for (const share of [0, 1 / 3, 2 / 3, 1]) {
    const tolerance = (order < 4 ? 1e-3 : 5e-3) * range ** -share;
    const options = { start: 0, end: order < 4 ? 3 : 6 };
    const { status, accepted } = await solveOnce(backend, make(tolerances(tolerance)), rotor, rotorStarts, options);
    claim(
      status.every((each) => each === 'done'),
      `The status at tolerance ${tolerance} is ${status.join(', ')}.`,
      { expected: 'done' },
    );
    solves.push([tolerance, accepted[0]] as const);
  }
  return { order, solves };
}

/** An error estimate that is O(h^p) gives steps of size tolerance^(1/p); one of lower order needs more and more of them. */
async function measureEstimate(context: CaseContext, make: MakeSolver): Promise<void> {
  const { order, solves } = await stepsByTolerance(context, make);
  const shown = -1 / logSlope(solves);
  context.measure(
    compareNumbers(
      `the order of the error estimate, from ${solves.map(([, steps]) => steps).join(', ')} steps, at most ${order}`,
      Math.min(shown, order),
      order,
      close(0.75, 0, 'less than to the next lower order: steps are whole, and f32 adds to small estimates'),
    ),
  );
}

/**
 * Inside a step of angle φ, the error of a state is φ⁴/384 of the radius with the cubic through both ends, and φ²/8 with a
 * straight line. Steps are not equal, and one twice as long has sixteen times the error.
 */
async function measureKeptByTolerance(context: CaseContext, make: MakeSolver): Promise<void> {
  const end = 2;
  const times = inside.map((share) => Math.fround(share * end));
  const solver = make(tolerances(accurate));
  await using compiled = await compileSolve(context.backend, solver, rotor, rotorStarts, {}, times.length);
  const { kept, accepted } = await compiled.run(rotorStarts, { start: 0, end, times });
  const [steps] = accepted;
  const atEnds = stepsWithin(steps, accurate, rotorStarts.data.length, end).allowance('f32', 0, 0);
  const between = (16 * (rotorAngle(end) / steps) ** 4) / 384;
  context.measure(
    compareNumbers(
      `the largest error of states kept inside ${steps} steps`,
      keptError(kept!['y'], times),
      0,
      close(atEnds + between, 0, `${steps} steps of error ${accurate}, and sixteen times the error of a cubic between`),
    ),
  );
}

/** One step of length 1, in which a violated condition has its full effect. */
async function measureConditions(context: CaseContext, make: MakeSolver): Promise<void> {
  const solver = make({ steps: 1 });
  const trees = rootedTrees(solver.order);
  const columns = trees.length + 1;
  const y0 = floats(new Array<number>(columns).fill(0), [1, columns]);
  const { end } = await solveOnce(context.backend, solver, treeField(trees), y0, { start: 0, end: 1 });
  compare(
    context,
    'the elementary weights times their densities',
    end,
    new Array<number>(columns).fill(1),
    close(2 ** -14, 0, '1024 roundings of f32: weights of high orders are ten or more and cancel'),
    (i) => `the tree of order ${trees[i]?.order ?? solver.order} with children ${trees[i]?.children.join() ?? 'none'}`,
  );
}

/** The same solution reversed in time: y(−t). */
const mirrored =
  (field: Field): Field =>
  (t, y, given) =>
    field(t.neg(), y, given).neg();

async function checkFixedSteps(context: CaseContext, make: MakeSolver): Promise<void> {
  const field = counting(walledBetween(0, 1, rotor));
  const solver = make({ steps: stepCount });
  await using compiled = await compileSolve(context.backend, solver, field.field, rotorStarts);
  let tried = 0;
  const result = await compiled.run(rotorStarts, { start: 0, end: 1, onStep: () => void tried++ });
  claim(
    result.status.every((status) => status === 'done'),
    `The status is ${result.status.join(', ')}.`,
    { expected: 'done' },
  );
  claim(result.t[0] === 1, `The solve ends at t = ${result.t[0]}.`, { expected: '1' });
  claim(result.end.data.every(Number.isFinite), 'The field was evaluated outside [0, 1].', {
    expected: 'times inside',
  });
  claim(result.accepted[0] === stepCount && tried === stepCount, `${result.accepted[0]} steps are accepted.`, {
    expected: `${stepCount}`,
  });
  claim(result.rejected[0] === 0, `${result.rejected[0]} steps are rejected.`, { expected: '0' });
  // The start may evaluate too: the traced calls are those of the start and the step.
  const [evaluations] = result.evaluations;
  const perStep = (evaluations - field.calls()) / (stepCount - 1);
  const isCount = Number.isInteger(perStep) && perStep >= 1 && perStep <= field.calls();
  claim(isCount, `${evaluations} evaluations are counted.`, {
    expected: `those of a start and ${stepCount} steps, where a start and a step make ${field.calls()}`,
  });
  const others = floats([0.9, 0.1, NaN, 0.6, 50, -0.5, -0.6, NaN], [4, 2]);
  const beside = await compiled.run(others, { start: 0, end: 1, count: 1 });
  compare(
    context,
    'a sample beside padding that is not finite',
    { ...beside.end, data: beside.end.data.slice(0, 2), shape: [2] },
    Array.from(result.end.data.slice(0, 2), Number),
    close(0, 0, 'the same program on the same numbers'),
  );
}

/** A field that counts how often it is traced. */
function counting(field: Field): { field: Field; calls: () => number } {
  let calls = 0;
  return {
    field: (t, y, given) => {
      calls++;
      return field(t, y, given);
    },
    calls: () => calls,
  };
}

/** A field that is NaN at times outside the interval, without branches: the root of a value that is negative there. */
const walledBetween =
  (start: number, end: number, field: Field): Field =>
  (t, y, given) => {
    const inside = t.sub(start).sqrt().add(t.neg().add(end).sqrt());
    return field(t, y, given).add(inside.mul(0).reshape([t.size, 1]));
  };

const accurate = 1e-5;
const rough = 1e-3;
const tolerances = (tolerance: number): SolverOptions => ({ rtol: tolerance, atol: tolerance });

/** The allowed error per element after `steps` accepted steps, each with an error of at most the tolerance in the norm over the batch. */
const stepsWithin = (steps: number, tolerance: number, count: number, t: number) =>
  bounded(
    new Float64Array(count).fill((2 * tolerance * Math.sqrt(count) + 64 * 2 ** -24) * steps * rotorGrowth(t)),
    `${steps} steps of error ${tolerance}, absolute and relative, in the norm over the batch, and 64 roundings, magnified up to ${rotorGrowth(t)} times`,
  );

async function measureTolerance(context: CaseContext, make: MakeSolver): Promise<void> {
  const exact = rotorEnds(2);
  const runs = [];
  for (const tolerance of [rough, accurate]) {
    const solved = await solveOnce(context.backend, make(tolerances(tolerance)), rotor, rotorStarts, {
      start: 0,
      end: 2,
    });
    claim(
      solved.status.every((status) => status === 'done'),
      `The status is ${solved.status.join(', ')}.`,
      { expected: 'done' },
    );
    const steps = solved.accepted[0];
    compare(
      context,
      `y(2) at tolerance ${tolerance}`,
      solved.end,
      exact,
      stepsWithin(steps, tolerance, exact.length, 2),
    );
    const error = Math.max(...exact.map((value, i) => Math.abs(solved.end.data[i] - value)));
    runs.push({ error, evaluations: solved.evaluations[0] });
  }
  const [loose, tight] = runs;
  claim(tight.error < loose.error, `The error at tolerance ${accurate} is ${tight.error}.`, {
    expected: `less than ${loose.error}, that at ${rough}`,
  });
  claim(tight.evaluations > loose.evaluations, `Tolerance ${accurate} takes ${tight.evaluations} evaluations.`, {
    expected: `more than ${loose.evaluations}, those at ${rough}`,
  });
}

async function measureReturn(context: CaseContext, make: MakeSolver): Promise<void> {
  const exact = rotorEnds(-0.5);
  const solver = make(tolerances(accurate));
  const solved = await solveOnce(context.backend, solver, rotor, rotorStarts, { start: 0, end: -0.5 });
  claim(
    solved.t.every((t) => t === -0.5),
    `The solve ends at t = ${solved.t[0]}.`,
    { expected: '-0.5' },
  );
  compare(context, 'y(−0.5)', solved.end, exact, stepsWithin(solved.accepted[0], accurate, exact.length, -0.5));
}

/** Evaluations must be c0 + c1·attempts with c0 and c1 the field's calls in the two programs, whose sum is traced. */
async function checkCounts(context: CaseContext, make: MakeSolver): Promise<void> {
  const field = counting(kicked);
  await using compiled = await compileSolve(context.backend, make(tolerances(1e-4)), field.field, rotorStarts);
  const traced = field.calls();
  const runs = [];
  for (const end of [0.25, 1]) {
    let tried = 0;
    const result = await compiled.run(rotorStarts, { start: 0, end, onStep: () => void tried++ });
    const [accepted, rejected, evaluations] = [result.accepted, result.rejected, result.evaluations].map(([n]) => n);
    claim(accepted + rejected === tried, `${accepted} steps accepted and ${rejected} rejected.`, {
      expected: `${tried} in all`,
    });
    runs.push({ tried, rejected, evaluations });
  }
  const [short, long] = runs;
  claim(long.rejected > 0, 'No step is rejected where the field is kicked.', { expected: '1 or more' });
  const perStep = (long.evaluations - short.evaluations) / (long.tried - short.tried);
  const atStart = long.evaluations - perStep * long.tried;
  claim(
    Number.isInteger(perStep) && perStep >= 1 && atStart >= 0 && atStart + perStep === traced,
    `${short.evaluations} evaluations for ${short.tried} steps and ${long.evaluations} for ${long.tried}.`,
    { expected: `a start and a step that make ${traced} together` },
  );
}

/** A smooth field with a kick at t = 1/2, reached with steps that have grown large. */
const kicked: Field = (t, y) => {
  const distance = t.sub(0.5).square().mul(400);
  return y.mul(0.1).add(reciprocal(distance.add(1)).square().mul(8).reshape([t.size, 1]));
};

async function checkInterval(context: CaseContext, make: MakeSolver): Promise<void> {
  const walled = walledBetween(0, 1, (_, y) => y);
  await using compiled = await compileSolve(context.backend, make(tolerances(1e-4)), walled, rotorStarts);
  for (const [start, end] of [
    [0, 1],
    [1, 0],
  ]) {
    const { t, end: reached, status } = await compiled.run(rotorStarts, { start, end });
    claim(
      status.every((each) => each === 'done'),
      `From ${start} to ${end} the status is ${status.join(', ')}.`,
      { expected: 'done' },
    );
    claim(
      t.every((each) => each === end),
      `The solve ends at t = ${t[0]}.`,
      { expected: `${end}` },
    );
    claim(reached.data.every(Number.isFinite), 'The field was evaluated outside the interval.', {
      expected: 'times inside',
    });
  }
}

async function measurePadding(context: CaseContext, make: MakeSolver): Promise<void> {
  await using compiled = await compileSolve(context.backend, make(tolerances(1e-4)), rotor, rotorStarts);
  const padded = (a: number, b: number) => floats([0.9, 0.1, -0.3, 0.6, a, b, -b, a], [4, 2]);
  const runs = [];
  for (const y0 of [padded(0.5, -0.5), padded(3, -7)])
    runs.push(await compiled.run(y0, { start: 0, end: 1, count: 2 }));
  const [one, other] = runs;
  claim(
    one.evaluations[0] === other.evaluations[0] && one.accepted[0] === other.accepted[0],
    `Other padding takes ${other.evaluations[0]} evaluations.`,
    { expected: `${one.evaluations[0]}` },
  );
  compare(
    context,
    'samples beside other padding',
    { ...other.end, data: other.end.data.slice(0, 4), shape: [2, 2] },
    Array.from(one.end.data.slice(0, 4), Number),
    close(0, 0, 'the same program on the same numbers'),
  );
}

async function measureNeighbours(context: CaseContext, make: MakeSolver): Promise<void> {
  const options = { ...tolerances(1e-4), perSample: true };
  const solver = modeOf(make, options, () => true);
  const decay: Field = (_, y) => y.square().neg();
  const solve = (rows: readonly number[]) =>
    solveOnce(context.backend, solver!, decay, floats(rows, [rows.length, 1]), { start: 0, end: 1 });
  if (!solver) return;
  const together = await solve([1, 50, 2, 9]);
  // A solver may share steps across the batch; then there is nothing to check.
  if (together.status.length === 1) return;
  for (const [row, y0] of [1, 50].entries()) {
    const alone = await solve([y0]);
    claim(
      alone.evaluations[0] === together.evaluations[row] && alone.accepted[0] === together.accepted[row],
      `A sample takes ${alone.evaluations[0]} evaluations alone and ${together.evaluations[row]} beside others.`,
      { expected: 'as many' },
    );
    const [actual, expected] = [together.end.data[row], alone.end.data[0]];
    const steps = alone.accepted[0];
    // Programs of other sizes may round differently.
    const limit = roundOff('f32', 64 * steps, [Math.max(1, Math.abs(expected))]);
    context.measure(compareNumbers(`sample ${row} beside others`, actual, expected, limit));
  }
}

async function checkMaxSteps({ backend }: CaseContext, solver: Solver): Promise<void> {
  const { status, t, end, accepted, rejected } = await solveOnce(backend, solver, rotor, rotorStarts, {
    start: 0,
    end: 4,
  });
  claim(
    status.every((each) => each === 'maxSteps'),
    `The status is ${status.join(', ')}.`,
    { expected: 'maxSteps' },
  );
  claim(accepted[0] + rejected[0] === 2, `${accepted[0]} + ${rejected[0]} steps were tried.`, {
    expected: '2',
  });
  claim(t[0] >= 0 && t[0] < 4, `The time is ${t[0]}.`, { expected: 'one on the way' });
  claim(end.data.every(Number.isFinite), 'The last state is not finite.', { expected: 'the last accepted state' });
}

async function checkFailures({ backend }: CaseContext, make: MakeSolver): Promise<void> {
  const fields: Readonly<Record<string, Field>> = {
    'is NaN from t = 1/2 on': (t, y) => y.add(t.neg().add(0.5).sqrt().reshape([t.size, 1])),
    'blows up at t = 1/2': (_, y) => y.square(),
  };
  for (const [what, field] of Object.entries(fields)) {
    const ended = await solveOnce(backend, make({ ...tolerances(1e-4) }), field, floats([2], [1, 1]), {
      start: 0,
      end: 1,
    }).then(
      ({ status }) => status[0],
      (error: unknown) => error,
    );
    const isSaid = ended instanceof SolverError || ['maxSteps', 'underflow', 'nonFinite'].includes(ended as string);
    claim(isSaid, `A field that ${what} ends with ${String(ended)}.`, { expected: 'a SolverError or a status' });
  }
}

/** y′ = −100(y − t) + 1 from y(0) = 1: a boundary layer of width 1/100, then the line y = t. */
async function measureStiff(context: CaseContext, make: MakeSolver): Promise<void> {
  const stiff: Field = (t: Tensor, y: Tensor) => t.reshape([t.size, 1]).sub(y).mul(100).add(1);
  const solved = await solveOnce(context.backend, make(tolerances(1e-4)), stiff, floats([1], [1, 1]), {
    start: 0,
    end: 1,
  }).catch((error: unknown) => {
    if (error instanceof SolverError) return undefined;
    throw error;
  });
  if (solved?.status[0] !== 'done') return;
  // Errors decay within a hundredth, during which only a few steps contribute.
  context.measure(
    compareNumbers(
      'y(1)',
      solved.end.data[0],
      1,
      close(10 * 2 * 1e-4, 0, 'ten steps at tolerance 1e-4, absolute and relative'),
    ),
  );
}
