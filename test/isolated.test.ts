import { expect } from 'chai';
import type { ListedSuite } from './support/isolated/messages.ts';
import { runIsolated, type IsolatedOptions, type IsolatedRun, type TestEnd } from './support/isolated/runIsolated.ts';

const example = (name: string): URL => new URL(`support/isolated/examples/${name}.ts`, import.meta.url);

async function run(name: string, options: Partial<IsolatedOptions> = {}): Promise<IsolatedRun> {
  const files = [decodeURIComponent(example(name).pathname)];
  const started = await runIsolated({
    files,
    timeout: 5000,
    limit: 60_000,
    grep: {},
    environment: {},
    quiet: true,
    ...options,
  });
  started.start();
  return started;
}

const titles = ({ title, tests, suites }: ListedSuite): unknown[] => [
  title,
  ...tests.map((test) => test.title),
  ...suites.map(titles),
];

const ends = (isolated: IsolatedRun, count: number): Promise<TestEnd[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => isolated.endOf(index)));

const messages = async (isolated: IsolatedRun): Promise<string> =>
  (await isolated.troubles()).map(({ message }) => message).join('\n');

describe('tests in a process of their own', () => {
  it('are listed and end as in this process; uncaught faults fail them, broken hooks are reported', async () => {
    const isolated = await run('ends', { faults: example('faults').href });
    expect(isolated.root && titles(isolated.root)).to.deep.equal([
      '',
      ['outer', 'passes', 'fails', 'is skipped', ['inner', 'has a fault that no assertion sees']],
    ]);
    const [passes, fails, skipped, faulty] = await ends(isolated, 4);
    expect([passes.state, skipped.state]).to.deep.equal(['passed', 'skipped']);
    expect(fails)
      .to.deep.include({ state: 'failed' })
      .and.to.have.nested.property('error.message')
      .that.includes('deeply equal');
    expect(fails).to.deep.nested.include({ 'error.actual': '[\n  1\n  2\n]', 'error.expected': '[\n  1\n  3\n]' });
    expect(faulty).to.deep.include({ state: 'failed', error: { message: 'a fault' } });
    expect(await messages(isolated)).to.match(/^outer inner "after all" hook.*: broken hook$/);
  });

  it('are chosen by the title', async () => {
    const isolated = await run('ends', { grep: { fgrep: 'outer passes' } });
    expect((await ends(isolated, 3)).map(({ state }) => state)).to.deep.equal(['passed', 'skipped', 'skipped']);
    expect(await messages(isolated)).to.equal('');
  });

  it('fail when their process crashes, with the signal and its last words', async () => {
    const isolated = await run('crash');
    const [before, crash, after] = await ends(isolated, 3);
    expect([before.state, crash.state, after.state]).to.deep.equal(['passed', 'failed', 'skipped']);
    expect(await messages(isolated)).to.match(/ended in ‘a crash is here’ by SIGKILL\. last words$/);
    expect(crash).to.have.nested.property('error.message', await messages(isolated));
  });

  it('fail when their process does not end in time', async () => {
    const isolated = await run('hang', { limit: 500 });
    expect((await isolated.endOf(0)).state).to.equal('failed');
    expect(await messages(isolated)).to.match(/ended in ‘hangs’ by SIGKILL\. .* not done after 0\.5 s\.$/);
  });

  it('fail when their process exits before they are done', async () => {
    const isolated = await run('exit');
    expect((await isolated.endOf(0)).state).to.equal('passed');
    expect(await messages(isolated)).to.match(/ended after ‘is followed .*’ by exit code 0\.$/);
  });

  it('fail when their files cannot be loaded', async () => {
    const isolated = await run('missing');
    expect(isolated.root).to.equal(undefined);
    expect(await messages(isolated)).to.match(/ended before any test by exit code 1\.[^]*missing\.ts/);
  });
});
