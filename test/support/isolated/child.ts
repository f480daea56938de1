import { writeSync } from 'node:fs';
import Mocha from 'mocha';
import { speechDescriptor, type ChildOptions, type ListedSuite, type Message, type SentError } from './messages.ts';

// Runs test files in this process for another one: lists the tests, waits for a line on the standard input, runs them.

const { files, timeout, grep, faults } = JSON.parse(process.argv[2]) as ChildOptions;
const { takeFaults } = (faults ? await import(faults) : { takeFaults: () => [] }) as { takeFaults: () => string[] };

const say = (message: Message): void => void writeSync(speechDescriptor, `${JSON.stringify(message)}\n`);

const mocha = new Mocha({ timeout, reporter: Mocha.reporters.Base, ...grep });
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync();
const only = mocha.suite as unknown as { hasOnly(): boolean; filterOnly(): void };
if (only.hasOnly()) only.filterOnly();

const numbers = new Map<unknown, number>();
say({ kind: 'listed', root: listed(mocha.suite) });

process.stdin.once('data', run);
// The other process has gone, or wanted the list only.
process.stdin.once('end', () => process.exit());

function listed({ title, tests, suites }: Mocha.Suite): ListedSuite {
  return {
    title,
    tests: tests.map((test) => {
      numbers.set(test, numbers.size);
      return { title: test.title, index: numbers.get(test)! };
    }),
    suites: suites.map(listed),
  };
}

function run(): void {
  const { EVENT_TEST_BEGIN, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
  const runner = mocha.run((failures) => {
    for (const fault of takeFaults()) say({ kind: 'trouble', error: { message: fault } });
    say({ kind: 'done' });
    // Outright: native threads may keep a process alive.
    process.exit(failures > 0 ? 1 : 0);
  });
  runner.on(EVENT_TEST_BEGIN, (test) => {
    for (const fault of takeFaults()) say({ kind: 'trouble', error: { message: `${fault} (before this test)` } });
    say({ kind: 'began', index: numbers.get(test)! });
  });
  runner.on(EVENT_TEST_PASS, (test) => {
    const index = numbers.get(test)!;
    const message = takeFaults().join('\n');
    say(
      message
        ? { kind: 'ended', index, state: 'failed', error: { message } }
        : { kind: 'ended', index, state: 'passed' },
    );
  });
  runner.on(EVENT_TEST_PENDING, (test) => say({ kind: 'ended', index: numbers.get(test)!, state: 'skipped' }));
  runner.on(EVENT_TEST_FAIL, (test, error: Error) => {
    const sent = sendable(error, takeFaults());
    const index = numbers.get(test);
    say(
      index === undefined
        ? { kind: 'trouble', error: { ...sent, message: `${test.fullTitle()}: ${sent.message}` } }
        : { kind: 'ended', index, state: 'failed', error: sent },
    );
  });
}

function sendable(error: Error, faults: readonly string[]): SentError {
  const { actual, expected } = error as { actual?: unknown; expected?: unknown };
  const message = [error.message, ...faults].join('\n');
  const sent: SentError = { message, stack: error.stack, actual, expected };
  try {
    JSON.stringify(sent);
    return sent;
  } catch {
    // Values that JSON has no words for, such as cycles and big integers.
    return { message, stack: error.stack };
  }
}
