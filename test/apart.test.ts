import { expect } from 'chai';
import type { ListedSuite } from './support/apart/messages.ts';
import { runApart, type ApartOptions, type ApartRun, type TestEnd } from './support/apart/runApart.ts';

const example = (name: string): URL => new URL(`support/apart/examples/${name}.ts`, import.meta.url);

async function run(name: string, options: Partial<ApartOptions> = {}): Promise<ApartRun> {
  const files = [decodeURIComponent(example(name).pathname)];
  const started = await runApart({
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

const ends = (apart: ApartRun, count: number): Promise<TestEnd[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => apart.endOf(index)));

const messages = async (apart: ApartRun): Promise<string> =>
  (await apart.troubles()).map(({ message }) => message).join('\n');

describe('tests that run apart', () => {
  it('are listed and end as they would here; unseen faults fail them, broken hooks are told', async () => {
    const apart = await run('ends', { faults: example('faults').href });
    expect(apart.root && titles(apart.root)).to.deep.equal([
      '',
      ['outer', 'passes', 'fails', 'is skipped', ['inner', 'has a fault that no assertion sees']],
    ]);
    const [passes, fails, skipped, faulty] = await ends(apart, 4);
    expect([passes.state, skipped.state]).to.deep.equal(['passed', 'skipped']);
    expect(fails)
      .to.deep.include({ state: 'failed' })
      .and.to.have.nested.property('error.message')
      .that.includes('deeply equal');
    expect(fails).to.deep.nested.include({ 'error.actual': '[\n  1\n  2\n]', 'error.expected': '[\n  1\n  3\n]' });
    expect(faulty).to.deep.include({ state: 'failed', error: { message: 'a fault' } });
    expect(await messages(apart)).to.match(/^outer inner "after all" hook.*: broken hook$/);
  });

  it('are chosen by the title', async () => {
    const apart = await run('ends', { grep: { fgrep: 'outer passes' } });
    expect((await ends(apart, 3)).map(({ state }) => state)).to.deep.equal(['passed', 'skipped', 'skipped']);
    expect(await messages(apart)).to.equal('');
  });

  it('fail when their process crashes, with the signal and its last words', async () => {
    const apart = await run('crash');
    const [before, crash, after] = await ends(apart, 3);
    expect([before.state, crash.state, after.state]).to.deep.equal(['passed', 'failed', 'skipped']);
    expect(await messages(apart)).to.match(/ended in ‘a crash is here’ by SIGKILL\. last words$/);
    expect(crash).to.have.nested.property('error.message', await messages(apart));
  });

  it('fail when their process does not end in time', async () => {
    const apart = await run('hang', { limit: 500 });
    expect((await apart.endOf(0)).state).to.equal('failed');
    expect(await messages(apart)).to.match(/ended in ‘hangs’ by SIGKILL\. .* not done after 0\.5 s\.$/);
  });

  it('fail when their process exits before they are done', async () => {
    const apart = await run('exit');
    expect((await apart.endOf(0)).state).to.equal('passed');
    expect(await messages(apart)).to.match(/ended after ‘is followed .*’ by exit code 0\.$/);
  });

  it('fail when their files cannot be loaded', async () => {
    const apart = await run('missing');
    expect(apart.root).to.equal(undefined);
    expect(await messages(apart)).to.match(/ended before any test by exit code 1\.[^]*missing\.ts/);
  });
});
