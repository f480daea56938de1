import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SharedInputs } from '../experiment.ts';
import { pythonPeerNames, type PythonPeerName } from '../options.ts';
import type { PreparedWork, Subject } from '../subject.ts';
import type { Work } from '../works.ts';
import { LineWorker, preparedBy } from './lineWorker.ts';

export interface InstalledPeers {
  readonly python: string;
  /** Versions of what is installed, by package. */
  readonly versions: Readonly<Record<string, string>>;
}

const local = fileURLToPath(new URL('.venv/bin/python', import.meta.url));
const needed = { torch: ['torch', 'torchdiffeq', 'flow_matching', 'tqdm'], jax: ['jax', 'diffrax', 'optax'] } as const;

export const installHint = [
  'To compare with PyTorch and JAX:',
  '  python3 -m venv bench/peers/.venv',
  '  bench/peers/.venv/bin/pip install -r bench/peers/requirements.txt',
  'or name an interpreter that has them: --python PATH, or FLOW_MATCHING_BENCH_PYTHON.',
].join('\n');

/** Asks an interpreter what it has; undefined where it does not run. */
export async function findPeers(python: string | undefined): Promise<InstalledPeers | undefined> {
  const interpreter = python ?? (existsSync(local) ? local : 'python3');
  const packages = ['numpy', ...needed.torch, ...needed.jax];
  const program = [
    'import importlib.metadata as m, json, platform',
    'versions = {"python": platform.python_version()}',
    `for name in ${JSON.stringify(packages)}:`,
    '    try: versions[name] = m.version(name)',
    '    except m.PackageNotFoundError: pass',
    'print(json.dumps(versions))',
  ].join('\n');
  try {
    const { stdout } = await promisify(execFile)(interpreter, ['-c', program]);
    return { python: interpreter, versions: JSON.parse(stdout) as Record<string, string> };
  } catch {
    return undefined;
  }
}

/** The peers that an interpreter can run. */
export function availablePeers({ versions }: InstalledPeers): PythonPeerName[] {
  return pythonPeerNames.filter((name) => needed[moduleOf(name)].every((dependency) => dependency in versions));
}

const moduleOf = (name: PythonPeerName): keyof typeof needed => (name === 'jax' ? 'jax' : 'torch');

/** A peer in a process of its own, which lasts as long as the subject. */
export class PythonPeer implements Subject {
  readonly name: string;
  readonly #variant: PythonPeerName;
  readonly #worker: LineWorker;
  readonly #inputs: SharedInputs;

  constructor(variant: PythonPeerName, { python }: InstalledPeers, inputs: SharedInputs, threads: number) {
    this.name = variant;
    this.#variant = variant;
    this.#inputs = inputs;
    this.#worker = new LineWorker({
      command: python,
      script: 'worker.py',
      args: [`${moduleOf(variant)}_peer`, `${threads}`],
      threads,
    });
  }

  async prepare({ kind, size, operations }: Work): Promise<PreparedWork> {
    const worker = this.#worker;
    const request = {
      do: 'prepare',
      kind,
      size,
      operations,
      compiled: this.#variant === 'torch-compiled',
      inputs: this.#inputs.file,
    };
    const { evaluations } = await worker.ask<{ evaluations: number | null }>(request);
    return preparedBy(worker, evaluations ?? undefined);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
