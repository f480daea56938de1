import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Compiling in PyTorch takes a minute on a slow machine. */
const patienceMilliseconds = 300_000;
const keptErrorLines = 8;

interface Waiting {
  resolve(answer: Record<string, unknown>): void;
  reject(error: Error): void;
}

/** A Python process that answers one JSON line with another (peers/worker.py). It starts with the first question. */
export class PythonWorker {
  readonly #python: string;
  readonly #module: string;
  readonly #threads: number;
  readonly #device: 'cpu' | 'cuda';
  #process: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #waiting: Waiting | undefined;
  #ended: string | undefined;
  readonly #errors: string[] = [];

  constructor(python: string, module: string, threads: number, device: 'cpu' | 'cuda' = 'cpu') {
    this.#python = python;
    this.#module = module;
    this.#threads = threads;
    this.#device = device;
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
    const threads = `${this.#threads}`;
    const child = spawn(this.#python, [fileURLToPath(new URL('worker.py', import.meta.url)), this.#module, threads], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // NPROC sizes XLA's pool, the other two those of PyTorch and its libraries.
        NPROC: threads,
        OMP_NUM_THREADS: threads,
        MKL_NUM_THREADS: threads,
        ...(this.#device === 'cpu' && { JAX_PLATFORMS: 'cpu', CUDA_VISIBLE_DEVICES: '' }),
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
