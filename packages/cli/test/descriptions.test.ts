import { pluginKinds, PluginRegistry } from '@flow-matching/core';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { reference } from '../scripts/reference.ts';
import { createRootContainer } from '../src/container/createRootContainer.ts';
import { experimentKeys } from '../src/experiment/experimentKeys.ts';
import { optionsOf } from '../src/experiment/pluginOptions.ts';
import { inProcess } from './support/commandLine.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const registry = new PluginRegistry(createRootContainer());

describe('descriptions of options', () => {
  it('are there for every key of an experiment and every option of every plugin', () => {
    const options = pluginKinds.flatMap((kind) =>
      registry
        .list(kind)
        .flatMap((plugin) =>
          optionsOf(plugin).map((option) => ({ ...option, name: `${plugin.pluginName}.${option.name}` })),
        ),
    );
    expect(options.length).to.be.above(150);
    const silent = [...experimentKeys(), ...options].filter(
      ({ description = '' }) => !/^[A-Z2].{5,}[^.]$/.test(description),
    );
    expect(silent.map(({ name }) => name)).to.deep.equal([]);
  });

  it('are shown by plugins, with defaults that depend on other options', async () => {
    const { stdout } = await inProcess('plugins');
    expect(stdout)
      .to.match(/^experiment\n {2}name +string +Name of the runs/)
      .and.to.match(/^ {2}seed +integer ≥ 0 +default 0 +Seed of/m)
      .and.to.match(
        /^ {2}training\.checkpointEvery +integer > 0, ≤ 2147483647 +default 1000 +Updates between two checkpoints$/m,
      )
      .and.to.match(/^ {6}rtol +number ≥ 0 +default 0\.00001 +Error allowed per step/m)
      .and.to.match(/^ {6}heldOut .*Fraction of the points kept out of training/m);
  });

  it('are in the files of docs/reference, which npm run docs:reference writes', async () => {
    for (const { file, text } of reference()) expect(await readFile(file, 'utf8'), file.pathname).to.equal(text);
  });

  it('and every setting, file and metric that documents mention by name are in docs/reference/experiment.md', () => {
    const text = readFileSync(`${root}docs/reference/experiment.md`, 'utf8');
    const names = [
      'heldOut',
      'timeSampler',
      'training.checkpointEvery',
      'training.ema',
      'metrics.jsonl',
      'results.json',
    ];
    for (const name of [...names, 'bpd', '--trajectory', '--resume'])
      expect(text).to.match(new RegExp(`\`${name}[\` ]`));
  });
});

describe('the JSON Schema of experiment files', () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(
    JSON.parse(readFileSync(`${root}docs/reference/experiment.schema.json`, 'utf8')) as object,
  );
  const accepts = (text: string): boolean => validate(parse(text));

  const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && !file.includes('node_modules'))
    .map((file) => join('examples', file));
  it('is named by every example, and accepts it', () => {
    expect(examples.length).to.be.above(15);
    for (const file of examples) {
      const text = readFileSync(join(root, file), 'utf8');
      const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
      expect(join(dirname(file), schema ?? ''), file).to.equal(join('docs', 'reference', 'experiment.schema.json'));
      expect(accepts(text), `${file}: ${JSON.stringify(validate.errors)}`).to.equal(true);
    }
  });

  for (const text of [
    'data: checkerboard',
    'data: { name: points, file: a.csv, heldOut: 0.1 }\nmodel: { width: 8 }\nsolver:',
    'data: { name: pair, source: gaussian, target: { name: moons, noise: 0.1 } }',
    'data: checkerboard\nplugins: [./mine.js]\npath: mine\noptimizer: { name: adam, schedule: { name: mine, a: 1 } }',
  ])
    it(`accepts ${JSON.stringify(text)}`, () => {
      expect(accepts(text), JSON.stringify(validate.errors)).to.equal(true);
    });

  for (const text of [
    'path: optimal-transport',
    'data: chequerboard',
    'data: checkerboard\nmodel: { name: mlp, widht: 8 }',
    'data: checkerboard\nmodel: { width: -8 }',
    'data: checkerboard\nsede: 1',
    'data: checkerboard\ntraining: { step: 8 }',
    'data: checkerboard\npath: mine',
    'data: checkerboard\nplugins: [./mine.js]\nmodel: { name: mlp, widht: 8 }',
  ])
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(accepts(text)).to.equal(false);
    });

  it('is what the command prints, with the plugins of modules that it is given', async () => {
    const { stdout, status } = await inProcess('schema');
    expect(status).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal(validate.schema);
    const more = await inProcess('schema', '--plugin', `${root}examples/custom-path/src/index.ts`);
    expect(
      new Ajv({ strict: false }).compile(JSON.parse(more.stdout) as object)({ data: 'moons', path: 'cosine-squared' }),
    ).to.equal(true);
  });
});
