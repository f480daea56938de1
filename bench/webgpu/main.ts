import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findAdapter, type FoundAdapter } from '../../test/support/webgpu/findAdapter.ts';
import { compare, type Comparison } from '../compare.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { contestantNames } from './contestants.ts';
import { formatFacts, formatRates } from './formatRates.ts';
import { ForkedSubject } from './forkedSubject.ts';
import { installedVersions } from './installedVersions.ts';
import { profileKernels } from './profileKernels.ts';
import { torchCuda } from './torchCuda.ts';
import { webgpuWorks, type WebgpuWork } from './webgpuWorks.ts';

const usage = `npm run bench:webgpu -- [options]

  --only LIST      what to run, by name or beginning of a name: ${webgpuWorks(true)
    .map(({ id }) => id)
    .join(', ')}
  --subjects LIST  some of ${contestantNames.join(', ')} (default: all)
  --rounds N       rounds of the interleaved measurement (default 5)
  --profile        the time of each of our kernels instead of the comparison
  --python PATH    an interpreter with PyTorch, for CUDA beside a GPU's WebGPU (default: FLOW_MATCHING_BENCH_PYTHON, bench/peers/.venv, python3)
  --json FILE      write every timing
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    subjects: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    profile: { type: 'boolean', default: false },
    python: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

const adapter = options.help ? undefined : findAdapter();
if (options.help) console.log(usage);
else if (adapter) await bench(adapter);
else {
  console.error('There is no WebGPU adapter here: CONTRIBUTING.md says how to get one.');
  process.exitCode = 1;
}

async function bench(adapter: FoundAdapter): Promise<void> {
  const { name, origin, isSoftware, environment } = adapter;
  const machine = await describeMachine();
  const described = { ...machine, versions: { ...machine.versions, ...installedVersions() } };
  console.log(`${formatMachine(described)}\nWebGPU on ${name} (${origin})${isSoftware ? ', software' : ''}\n`);
  const only = options.only?.split(',');
  const works = webgpuWorks(isSoftware).filter(({ id }) => only?.some((start) => id.startsWith(start)) ?? true);
  if (options.profile) {
    profileKernels(works, environment);
    return;
  }
  const chosen = options.subjects?.split(',');
  const forked = contestantNames
    .filter((subject) => chosen?.includes(subject) ?? true)
    .map((subject) => new ForkedSubject(subject, environment));
  const subjects = [...forked, ...(isSoftware ? [] : await torchCuda(options.python))];
  const comparisons: Comparison[] = [];
  try {
    for (const work of works) {
      if (interrupted.signal.aborted) break;
      const comparison = await compare(work, subjects, {
        rounds: Number(options.rounds),
        signal: interrupted.signal,
        onProgress: showProgress,
      });
      const processorRounds = new Map(
        forked.map((subject) => [subject.name, subject.processorRounds.get(work.id) ?? []]),
      );
      console.log(`${formatRates(work, comparison, processorRounds)}\n`);
      comparisons.push(comparison);
    }
    console.log(describeOurs(works, forked));
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine: described, adapter: name, comparisons }, undefined, 2)}\n`,
    );
}

function describeOurs(works: readonly WebgpuWork[], subjects: readonly ForkedSubject[]): string {
  const tables = subjects.filter(({ facts }) => facts.size > 0).map(({ facts }) => `${formatFacts(works, facts)}\n`);
  const adapters = subjects.flatMap(({ name, description }) => (description ? [`${name} ran on ${description}`] : []));
  return [...tables, ...adapters].join('\n');
}

/** One line that is written over, on a terminal only. */
function showProgress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${message}`);
}
