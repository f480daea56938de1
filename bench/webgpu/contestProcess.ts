import { contestants, isContestantName } from './contestants.ts';
import type { Contestant, PreparedContest } from './contestant.ts';
import type { Answer, Question } from './contestProtocol.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

// A framework in a process of its own: libraries fight over navigator.gpu, and one that crashes ends nobody else.
const [name = ''] = process.argv.slice(2);
let contestant: Promise<Contestant> | undefined;
let prepared: PreparedContest | undefined;
let operations = 1;

async function answer(question: Question): Promise<Answer> {
  if (question.do === 'prepare') return prepare(question.work);
  if (!prepared) throw new Error('Nothing is prepared.');
  if (question.do === 'measure') return measure(prepared, question.timings);
  if (question.do === 'check') return { check: await prepared.check() };
  await prepared.release();
  prepared = undefined;
  return {};
}

async function prepare(work: WebgpuWork): Promise<Answer> {
  if (!isContestantName(name)) throw new Error(`There is no '${name}'.`);
  const framework = await (contestant ??= contestants[name]());
  ({ operations } = work);
  prepared = await framework.prepare(work);
  // Pipelines are compiled and caches fill; the second time everything is there.
  for (let i = 0; i < 2; i++) await prepared.run(1);
  return { description: framework.description, facts: prepared.facts };
}

/** Milliseconds an operation by the clock and of processors, after one untimed that wakes threads and caches. */
async function measure(
  contest: PreparedContest,
  timings: number,
): Promise<Pick<Answer, 'milliseconds' | 'processorMilliseconds'>> {
  await contest.run(1);
  const milliseconds: number[] = [];
  const processorMilliseconds: number[] = [];
  for (let i = 0; i < timings; i++) {
    const [began, usage] = [performance.now(), process.cpuUsage()];
    await contest.run(operations);
    milliseconds.push((performance.now() - began) / operations);
    const { user, system } = process.cpuUsage(usage);
    processorMilliseconds.push((user + system) / 1000 / operations);
  }
  return { milliseconds, processorMilliseconds };
}

process.on('message', (question: Question) => {
  void answer(question).then(
    (result) => process.send!(result),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) }),
  );
});
// Native libraries crash when they are taken down in order.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
