import { askedPython, chosenBy, list, optionValues, positive, UsageError } from '../arguments.ts';
import { contestantNames, isContestantName, type ContestantName } from './contestants.ts';
import { webgpuWorks } from './webgpuWorks.ts';

export interface WebgpuBenchOptions {
  /** Whether a work was asked for, by its id. */
  readonly isChosen: (id: string) => boolean;
  readonly subjects: readonly ContestantName[];
  readonly rounds: number;
  readonly profile: boolean;
  readonly python: string | undefined;
  readonly json: string | undefined;
}

const works = webgpuWorks(true).map(({ id }) => id);

export const webgpuUsage = `npm run bench:webgpu -- [options]

  --only LIST      what to run, by name or beginning of a name: ${works.join(', ')}
  --subjects LIST  some of ${contestantNames.join(', ')} (default: all)
  --rounds N       rounds of the interleaved measurement (default 5)
  --profile        the time of each of our kernels instead of the comparison
  --python PATH    an interpreter with the Python peers, for PyTorch on CUDA beside a GPU (default: FLOW_MATCHING_BENCH_PYTHON, bench/peers/.venv, python3)
  --json FILE      write every timing
`;

/** @throws UsageError */
export function parseWebgpuOptions(args: readonly string[]): WebgpuBenchOptions | 'help' {
  const values = optionValues(args, {
    only: { type: 'string' },
    subjects: { type: 'string' },
    rounds: { type: 'string' },
    profile: { type: 'boolean' },
    python: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) return 'help';
  const subjects = list(values.subjects);
  const mismatch = subjects?.find((name) => !isContestantName(name));
  if (mismatch !== undefined) throw new UsageError(`There is no subject '${mismatch}': ${contestantNames.join(', ')}.`);
  return {
    isChosen: chosenBy(list(values.only), works),
    subjects: contestantNames.filter((name) => subjects?.includes(name) ?? true),
    rounds: positive('rounds', values.rounds) ?? 5,
    profile: values.profile ?? false,
    python: askedPython(values.python),
    json: values.json,
  };
}
