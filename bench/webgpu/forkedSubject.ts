import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PreparedWork, Subject } from '../subject.ts';
import type { Work } from '../works.ts';
import type { Answer, Question } from './contestProtocol.ts';
import type { ContestantName } from './contestants.ts';
import type { ProgramFacts } from './programFacts.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

const patienceMilliseconds = 240_000;
const keptErrorLines = 4;
const program = fileURLToPath(new URL('contestProcess.ts', import.meta.url));

/** A framework in a process of its own, which lasts as long as the subject and starts with the first question. */
export class ForkedSubject implements Subject {
  readonly name: ContestantName;
  /** What it said of each work's compilation, by the work's id. */
  readonly facts = new Map<string, ProgramFacts>();
  /** Milliseconds of processors an operation, for each round of each work: others disturb them less than the clock's. */
  readonly processorRounds = new Map<string, (readonly number[])[]>();
  /** The adapter as it sees it, once it has prepared something. */
  description: string | undefined;
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #ended: string | undefined;
  #settle: ((answer: Answer) => void) | undefined;
  readonly #errors: string[] = [];

  /** @param environment what WebGPU needs to find the adapter. */
  constructor(name: ContestantName, environment: Readonly<Record<string, string>>) {
    this.name = name;
    this.#environment = environment;
  }

  async prepare(work: Work): Promise<PreparedWork> {
    const { description, facts } = await this.#ask({ do: 'prepare', work: work as WebgpuWork });
    this.description = description;
    if (facts) this.facts.set(work.id, facts);
    const processorRounds: (readonly number[])[] = [];
    this.processorRounds.set(work.id, processorRounds);
    return {
      measure: async (timings) => {
        const { milliseconds, processorMilliseconds } = await this.#ask({ do: 'measure', timings });
        processorRounds.push(processorMilliseconds!);
        return [...milliseconds!];
      },
      check: async () => (await this.#ask({ do: 'check' })).check!,
      release: async () => void (await this.#ask({ do: 'release' })),
    };
  }

  async close(): Promise<void> {
    this.#process?.kill('SIGKILL');
  }

  /** @throws Error with what the process said where it fails, ends or takes too long. */
  async #ask(question: Question): Promise<Answer> {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    const child = (this.#process ??= this.#start());
    const answer = await new Promise<Answer>((resolve) => {
      const timer = setTimeout(() => {
        this.#end(`no answer within ${patienceMilliseconds / 1000} s`);
      }, patienceMilliseconds);
      this.#settle = (message) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(message);
      };
      child.send(question);
    });
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  #start(): ChildProcess {
    const child = fork(program, [this.name], {
      env: { ...process.env, ...this.#environment },
      // What libraries print must not stand between the tables.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Ctrl-C reaches the bench alone, which then ends the others in order.
      detached: true,
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors.push(...text.split('\n').filter(Boolean));
      this.#errors.splice(0, this.#errors.length - keptErrorLines);
    });
    child.on('message', (message: Answer) => this.#settle?.(message));
    // A question to a process that has gone is answered by its end.
    child.on('error', ({ message }) => this.#end(message));
    child.on('exit', (code, signal) =>
      this.#end([`its process ended (${signal ?? code})`, ...this.#errors].join(': ')),
    );
    return child;
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#settle?.({ error: this.#ended });
    this.#process?.kill('SIGKILL');
  }
}
