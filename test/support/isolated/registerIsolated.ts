import { assert } from 'chai';
import type { ListedSuite, SentError } from './messages.ts';
import type { IsolatedRun } from './runIsolated.ts';

/** Registers the tests of another process as tests of this one, and one more for how that process ends. */
export function registerIsolated(title: string, run: IsolatedRun): void {
  if (run.root) registerSuite(run.root, run);
  describe(title, () => {
    it('end by themselves, with nothing wrong between them', async function () {
      this.timeout(0);
      run.start();
      const troubles = await run.troubles();
      assert(troubles.length === 0, troubles.map(({ message, stack }) => stack ?? message).join('\n\n'));
    });
  });
}

/** Registers them as skipped. */
export function registerSkipped({ tests, suites }: ListedSuite): void {
  for (const { title } of tests) it(title);
  for (const suite of suites) describe(suite.title, () => registerSkipped(suite));
}

function registerSuite({ tests, suites }: ListedSuite, run: IsolatedRun): void {
  for (const { title, index } of tests) {
    it(title, async function () {
      // The other process has time limits of its own.
      this.timeout(0);
      run.start();
      const end = await run.endOf(index);
      if (end.state === 'skipped') this.skip();
      if (end.state === 'failed') throw received(end.error);
    });
  }
  for (const suite of suites) describe(suite.title, () => registerSuite(suite, run));
}

/** Looks to mocha like the error that it was. */
const received = ({ message, ...rest }: SentError): Error => Object.assign(new Error(message), rest);
