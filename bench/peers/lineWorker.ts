import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { PreparedWork } from '../subject.ts';

/** Compiling in PyTorch takes a minute on a slow machine. */
const patienceMilliseconds = 300_000;
const keptErrorLines = 8;

interface Waiting {
  resolve(answer: Record<string, unknown>): void;
  reject(error: Error): void;
}

/** How a peer's process is started. */
export interface WorkerProgram {
  readonly command: string;
  /** A file of this folder. */
  readonly script: string;
  readonly args: readonly string[];
  readonly threads: number;
  /** Where it computes; `cpu` by default. */
  readonly device?: 'cpu' | 'cuda';
}

/** A process that answers one JSON line with another, as peers/worker.py says. It starts with the first question. */
export class LineWorker {
  readonly #program: WorkerProgram;
  #process: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #waiting: Waiting | undefined;
  #ended: string | undefined;
  readonly #errors: string[] = [];

  constructor(program: WorkerProgram) {
    this.#program = program;
  }

  /** @throws with the traceback's end where the worker fails, dies or takes too long. */
  async ask<Answer>(question: object): Promise<Answer> {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    const process = (this.#process ??= this.#start());
    const timer = setTimeout(
      () => this.#end(`no answer within ${patienceMilliseconds / 1000} s`),
      patienceMilliseconds,
    );
    try {
      const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        process.stdin.write(`${JSON.stringify(question)}\n`);
      });
      if (typeof answer['error'] === 'string') throw new Error(answer['error']);
      return answer as Answer;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    const process = this.#process;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const gone = new Promise((resolve) => process.once('exit', resolve));
    process.stdin.end();
    const killer = setTimeout(() => process.kill('SIGKILL'), 2000);
    await gone;
    clearTimeout(killer);
  }

  #start(): ChildProcessByStdio<Writable, Readable, Readable> {
    const { command, script, args } = this.#program;
    const threads = `${this.#program.threads}`;
    const child = spawn(command, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // NPROC sizes XLA's pool, the next two those of PyTorch and its libraries, the last three TensorFlow's.
        NPROC: threads,
        OMP_NUM_THREADS: threads,
        MKL_NUM_THREADS: threads,
        TF_NUM_INTRAOP_THREADS: threads,
        TF_NUM_INTEROP_THREADS: threads,
        TF_CPP_MIN_LOG_LEVEL: '2',
        ...(this.#program.device !== 'cuda' && { JAX_PLATFORMS: 'cpu', CUDA_VISIBLE_DEVICES: '' }),
      },
      // Its own group: Ctrl-C reaches the bench alone, which then ends the workers in order.
      detached: true,
    });
    createInterface({ input: child.stdout }).on('line', (line) =>
      this.#waiting?.resolve(JSON.parse(line) as Record<string, unknown>),
    );
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#errors.push(line);
      this.#errors.splice(0, this.#errors.length - keptErrorLines);
    });
    child.stdin.on('error', () => {});
    child.on('error', (error) => this.#end(error.message));
    child.on('exit', (code, signal) => this.#end(`its process ended (${signal ?? code}): ${this.#errors.join('\n')}`));
    return child;
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.reject(new Error(reason));
    this.#process?.kill('SIGKILL');
  }
}

/** What a worker has prepared. */
export const preparedBy = (worker: LineWorker, evaluations?: number): PreparedWork => ({
  evaluations,
  measure: async (timings) => (await worker.ask<{ milliseconds: number[] }>({ do: 'measure', timings })).milliseconds,
  check: async () => (await worker.ask<{ check: number }>({ do: 'check' })).check,
  release: async () => void (await worker.ask({ do: 'release' })),
});
