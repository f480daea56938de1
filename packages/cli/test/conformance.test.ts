import type { ConformanceReport } from '@flow-matching/conformance';
import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { quoteArgument } from '../src/terminal/quoteArgument.ts';
import { inProcess, seen, start, temporaryFolder } from './support/commandLine.ts';

const example = fileURLToPath(new URL('../../../examples/custom-backend/src/index.ts', import.meta.url));
const tensor = import.meta.resolve('@flow-matching/tensor');

/** The reference whose sums are one too large from the second sum on, or that takes its time. */
const broken = `import { createReferenceBackend } from '${tensor}';
export const backend = () => {
  const reference = createReferenceBackend();
  return {
    ...reference, name: 'broken', device: 'none', manifest: reference.manifest,
    array: (source) => reference.array(source),
    async compile(graph, options) {
      if (process.env.SLOW) await new Promise((resolve) => setTimeout(resolve, 50));
      const executable = await reference.compile(graph, options);
      if (!graph.nodes.some(({ operator }) => operator.name === 'Add')) return executable;
      return {
        graph, bind: (arrays) => executable.bind(arrays), dispose: () => executable.dispose(),
        async run(inputs) {
          const results = await executable.run(inputs);
          for (const result of Object.values(results)) {
            const read = result.read.bind(result);
            result.read = async () => (await read()).map((value) => value + 1);
          }
          return results;
        },
      };
    },
    dispose: () => reference.dispose(),
    [Symbol.asyncDispose]: () => reference.dispose(),
  };
};
`;

describe('flow-matching conformance', () => {
  const folder = temporaryFolder();

  it('prints a table and exits with 0 if everything declared passes', async () => {
    const { status, stdout } = await inProcess(
      'conformance',
      '--backend',
      'reference',
      '--filter',
      'L1/Mul/',
      '--quiet',
    );
    expect(status).to.equal(0);
    expect(stdout)
      .to.match(/^reference \(cpu, interpreted in f64\), seed 0$/m)
      .and.to.match(/^1 +Operators +f32 +(\d+)\/\1 +– +– +–$/m)
      .and.to.match(/^Passed: \d+ of \d+ cases pass\.$/m);
  });

  it('counts undeclared operators separately, never as a pass', async () => {
    const { status, stdout } = await inProcess('conformance', '--module', example, '--filter', 'L1/Erf/f32', '--json');
    expect(status).to.equal(0);
    const { version, totals, results } = JSON.parse(stdout) as ConformanceReport;
    expect(version).to.equal(1);
    expect(totals.map(({ tally }) => tally.pass)).to.deep.equal([0]);
    expect(totals[0].tally.unsupported).to.equal(results.length);
  });

  it('exits with 1 for a failure, writes a report, and says how to rerun it', async () => {
    await writeFile(folder.file('broken.mjs'), broken);
    const args = ['--module', folder.file('broken.mjs'), '--filter', 'L1/Add/f32', '--seed', '7'];
    const { status, stdout } = await inProcess('conformance', ...args, '--report', folder.file('out'), '--quiet');
    expect(status).to.equal(1);
    expect(stdout)
      .to.match(/^FAIL {2}L1\/Add\/f32/m)
      .and.to.match(/^Failed: 0 of/m);
    const report = JSON.parse(await readFile(folder.file('out/report.json'), 'utf8')) as ConformanceReport;
    expect(report.passed).to.equal(false);
    expect(report.versions).to.have.property('node', process.versions.node);
    const [{ id, rerun, message }] = report.results;
    expect(rerun).to.include('--seed 7').and.to.include(quoteArgument(id));
    const page = await readFile(folder.file('out/report.html'), 'utf8');
    expect(page).to.include('Failed: 0 of').and.to.include('data-status="fail"');
    const again = await inProcess('conformance', ...args.with(3, id), '--json', '--quiet');
    const { results } = JSON.parse(again.stdout) as ConformanceReport;
    expect(results.map((result) => [result.id, result.message])).to.deep.equal([[id, message]]);
  });

  it('lists cases without running them', async () => {
    const { status, stdout } = await inProcess('conformance', '--list', '--filter', 'L1/Softmax', '--json');
    expect(status).to.equal(0);
    const { cases } = JSON.parse(stdout) as { cases: { id: string; claim: string }[] };
    expect(cases).not.to.be.empty;
    for (const { id, claim } of cases) expect([id.startsWith('L1/Softmax'), claim !== '']).to.deep.equal([true, true]);
  });

  it('ends cleanly when interrupted, and reports completed cases', async () => {
    await writeFile(folder.file('slow.mjs'), `process.env.SLOW = '1';\n${broken}`);
    const run = start(['conformance', '--module', './slow.mjs', '--level', '1', '--report', 'out'], folder.path);
    await seen(run, /check \d+\//);
    run.child.kill('SIGINT');
    const { status, stdout, stderr } = await run.ended;
    expect(status).to.equal(130);
    expect(stderr).to.match(/Stopping after the case that is running/);
    expect(stdout).to.match(/ended before \d+ of \d+ chosen cases/);
    const report = JSON.parse(await readFile(folder.file('out/report.json'), 'utf8')) as ConformanceReport;
    expect(report.passed).to.equal(false);
    expect(report.results.length).to.be.within(1, report.interrupted!.chosen - 1);
  });

  const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
    ['a misspelt backend', ['--backend', 'refrence'], /no backend named 'refrence'.*Did you mean 'reference'\?/],
    ['a level that there is not', ['--level', '7'], /'7' is invalid\. Expected levels from 0 to 6/],
    ['levels backwards', ['--level', '2-0'], /'2-0' is invalid/],
    ['a misspelt id', ['--filter', 'L1/Sofmax'], /no case 'L1\/Sofmax'\. Did you mean 'L1\/Softmax'\?/],
    ['two backends', ['--backend', 'onnx', '--module', './b.js'], /are two backends/],
    ['an option that the backend has not', ['--filter', 'L1/Add', '--set', 'backend.thraeds=1'], /thraeds/],
    ['an option of something else', ['--set', 'model.width=1'], /--set model\.width=1 is no option of the backend/],
    ['a package that is not there', ['--module', 'nowhere'], /There is no package 'nowhere'/],
    ['a file that is not there', ['--module', './nowhere.js'], /--module \.\/nowhere\.js: Cannot find module/],
    ['a module without a backend', ['--module', tensor.replace('file://', '')], /exports no backend/],
  ];
  for (const [what, args, message] of wrong)
    it(`exits with 2 for ${what}`, async () => {
      const { status, stdout, stderr } = await inProcess('conformance', ...args);
      expect(stderr + stdout).to.match(message);
      expect(status).to.equal(2);
    });

  it('quotes characters that a shell would interpret', () => {
    expect(['L1/Add/f32', 'a row', 'costs $1', "it's $1"].map(quoteArgument)).to.deep.equal([
      'L1/Add/f32',
      '"a row"',
      "'costs $1'",
      "'it'\\''s $1'",
    ]);
  });
});
