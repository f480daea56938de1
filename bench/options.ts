import { availableParallelism } from 'node:os';
import { askedPython, chosenBy, list, optionValues, positive, UsageError } from './arguments.ts';
import { studies } from './studies.ts';
import type { Study } from './study.ts';
import { works, type Work } from './works.ts';

export const pythonPeerNames = ['torch', 'torch-compiled', 'jax'] as const;
export type PythonPeerName = (typeof pythonPeerNames)[number];
/** tfjs-layers is TensorFlow.js's own training, on tfjs-node. */
export const peerNames = [...pythonPeerNames, 'tfjs-layers'] as const;
export type PeerName = (typeof peerNames)[number];

export interface BenchOptions {
  readonly works: readonly Work[];
  readonly studies: readonly Study[];
  readonly backends: readonly string[];
  /** Peers that were asked for; all that are installed where undefined. */
  readonly peers: readonly PeerName[] | undefined;
  readonly python: string | undefined;
  readonly threads: number;
  readonly rounds: number;
  readonly profile: boolean;
  readonly retrain: boolean;
  readonly json: string | undefined;
}

const ids = [...works, ...studies].map(({ id }) => id);

export const usage = `npm run bench -- [options]

  --only LIST      what to run, by name or beginning of a name: ${ids.join(', ')}
  --backend LIST   backends of ours to time (default onnx)
  --peers LIST     python (all of Python's), none, or some of ${peerNames.join(', ')} (default: those that are installed)
  --python PATH    their interpreter (default: FLOW_MATCHING_BENCH_PYTHON, bench/peers/.venv, python3)
  --threads N      threads of every subject (default: the processors this process may use)
  --rounds N       rounds of the interleaved measurement (default 7)
  --quick          two rounds of one timing each
  --profile        where our milliseconds go, by operator, instead of the comparison
  --retrain        train the shared weights afresh
  --json FILE      write every timing
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const values = optionValues(args, {
    only: { type: 'string' },
    backend: { type: 'string' },
    peers: { type: 'string' },
    python: { type: 'string' },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    profile: { type: 'boolean' },
    retrain: { type: 'boolean' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) return 'help';
  const quick = values.quick ?? false;
  const isChosen = chosenBy(list(values.only), ids);
  const brief = (work: Work): Work => (quick ? { ...work, timings: 1 } : work);
  return {
    works: works.filter(({ id }) => isChosen(id)).map(brief),
    studies: studies
      .filter(({ id }) => isChosen(id))
      .map(({ contests, ...study }) => ({
        ...study,
        contests: contests.map(({ work, variants }) => ({ work: brief(work), variants })),
      })),
    backends: list(values.backend) ?? ['onnx'],
    peers: selectPeers(list(values.peers)),
    python: askedPython(values.python),
    threads: positive('threads', values.threads) ?? availableParallelism(),
    rounds: positive('rounds', values.rounds) ?? (quick ? 2 : 7),
    profile: values.profile ?? false,
    retrain: values.retrain ?? false,
    json: values.json,
  };
}

function selectPeers(names: readonly string[] | undefined): readonly PeerName[] | undefined {
  if (!names) return undefined;
  if (names.includes('none')) return [];
  if (names.includes('python')) return pythonPeerNames;
  const mismatch = names.find((name) => !peerNames.some((known) => known === name));
  if (mismatch !== undefined) throw new UsageError(`There is no peer '${mismatch}': python, ${peerNames.join(', ')}.`);
  return peerNames.filter((name) => names.includes(name));
}
