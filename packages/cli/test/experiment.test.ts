import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRootContainer } from '../src/container/createRootContainer.ts';
import { ExperimentError } from '../src/errors.ts';
import { assembleExperiment, loadExperiment } from '../src/experiment/assembleExperiment.ts';
import { firstDifference } from '../src/experiment/experimentHash.ts';
import type { ExperimentSource } from '../src/experiment/experimentSource.ts';
import { parseSetting } from '../src/experiment/parseSetting.ts';
import { resolveExperiment } from '../src/experiment/resolveExperiment.ts';
import { stringify } from 'yaml';
import { temporaryFolder } from './support/commandLine.ts';

describe('an experiment file', () => {
  const folder = temporaryFolder();
  const load = async (text: string, settings: readonly string[] = [], name = 'e.yaml') => {
    await writeFile(folder.file(name), text);
    return loadExperiment(createRootContainer(), folder.file(name), settings.map(parseSetting));
  };
  const refusal = async (text: string, settings: readonly string[] = [], name = 'e.yaml'): Promise<string> => {
    try {
      await load(text, settings, name);
    } catch (error) {
      return (error as Error).message.replaceAll(`${folder.path}/`, '');
    }
    throw new Error('it was accepted');
  };

  it('needs to name only its data', async () => {
    const { experiment } = await load('data: checkerboard\n');
    expect(experiment).to.deep.include({ name: 'e', seed: 0, data: { name: 'checkerboard' }, plugins: [] });
    expect(experiment.model).to.deep.equal({
      name: 'mlp',
      width: 512,
      depth: 5,
      activation: 'silu',
      timeEmbedding: 'concatenate',
      frequencies: 32,
    });
    expect(experiment.optimizer['schedule']).to.deep.include({ name: 'constant', warmup: 0 });
    expect(experiment.training).to.deep.equal({ steps: 4000, batchSize: 1024, checkpointEvery: 1000, reportEvery: 50 });
  });

  const adaptive = {
    name: 'dopri5',
    rtol: 1e-5,
    atol: 1e-5,
    maxSteps: 10_000,
    perSample: false,
    safety: 0.9,
    minFactor: 0.2,
    maxFactor: 10,
    proportional: 0.2,
    integral: 0.65,
  };

  it('is completed with defaults that depend on other options', async () => {
    const solver = async (text: string) => (await load(`data: checkerboard\nsolver: ${text}\n`)).experiment.solver;
    const { maxSteps: _, ...rest } = adaptive;
    expect((await load('data: checkerboard\n')).experiment.solver).to.deep.equal(adaptive);
    expect(await solver('{ rtol: 1.0e-3 }')).to.deep.equal({ ...adaptive, rtol: 1e-3 });
    expect(await solver('{ maxEvaluations: 100 }')).to.deep.equal({ ...rest, maxEvaluations: 100 });
    expect(await solver('{ grid: cosine }')).to.deep.equal({ name: 'dopri5', steps: 20, grid: 'cosine' });
    expect(await solver('{ steps: 7 }')).to.deep.equal({ name: 'dopri5', steps: 7, grid: 'uniform' });
    expect(await solver('euler')).to.deep.equal({ name: 'euler', steps: 100, grid: 'uniform' });
    expect(await solver('{ name: euler, grid: [0, 0.5, 1] }')).to.deep.equal({ name: 'euler', grid: [0, 0.5, 1] });
    expect(await solver('euler-maruyama')).to.deep.equal({
      name: 'euler-maruyama',
      noise: 1,
      steps: 200,
      grid: 'uniform',
    });
  });

  it('is the same experiment when read back from its record', async () => {
    for (const solver of ['dopri5', '{ name: dopri5, grid: edm }', 'rk4', 'predictor-corrector']) {
      const { experiment } = await load(`data: checkerboard\nsolver: ${solver}\n`);
      expect((await load(stringify(experiment))).experiment).to.deep.equal(experiment);
    }
  });

  it('drops options of the file that conflict with the command line', async () => {
    const solver = async (recorded: object, ...settings: string[]) =>
      (await load(stringify({ data: 'checkerboard', solver: recorded }), settings)).experiment.solver;
    expect(await solver(adaptive, 'solver.steps=7')).to.deep.equal({ name: 'dopri5', steps: 7, grid: 'uniform' });
    expect(await solver(adaptive, 'solver.rtol=1e-3')).to.deep.equal({ ...adaptive, rtol: 1e-3 });
    const noisy = { name: 'euler-maruyama', steps: 50, noise: 0.5 };
    expect(await solver(noisy, 'solver.steps=7')).to.deep.include({ ...noisy, steps: 7 });
    expect(await solver({ name: 'euler', steps: 9 }, 'solver.evaluations=4')).to.not.have.property('steps');
  });

  it('may be JSON', async () => {
    const { experiment } = await load(
      '{ "data": { "name": "checkerboard" },\n\t"model": { "width": 8 } }',
      [],
      'e.json',
    );
    expect(experiment.model).to.deep.include({ name: 'mlp', width: 8 });
  });

  it('may be a module', async () => {
    const { experiment } = await load(
      "export default { data: 'checkerboard', training: { steps: 2 ** 3 } };",
      [],
      'e.mjs',
    );
    expect(experiment.training.steps).to.equal(8);
  });

  it('takes settings from the command line as YAML, also for parts missing in the file', async () => {
    const { experiment } = await load('data: checkerboard\nsolver: euler\n', [
      'model.width=128',
      'optimizer.schedule=cosine',
      'optimizer.schedule.warmup=5',
      'solver.steps=3',
      'solver={name: dopri5, rtol: 1e-3}',
      'seed=4',
    ]);
    expect(experiment.model).to.deep.include({ name: 'mlp', width: 128 });
    expect(experiment.optimizer['schedule']).to.deep.include({ name: 'cosine', warmup: 5 });
    expect(experiment.solver).to.deep.include({ name: 'dopri5', rtol: 1e-3 });
    expect(experiment.seed).to.equal(4);
  });

  it('resolves to itself', async () => {
    const first = await load('data: checkerboard\noptimizer: { schedule: { name: cosine, warmup: 7 } }\n');
    const again = await load(JSON.stringify(first.experiment), [], 'again.json');
    expect(again.experiment).to.deep.equal(first.experiment);
    expect(firstDifference(first.experiment, again.experiment)).to.equal(undefined);
  });

  it('loads plugins and data by paths relative to itself', async () => {
    await mkdir(folder.file('lib'));
    const core = import.meta.resolve('@flow-matching/core');
    await writeFile(
      folder.file('lib/straight.mjs'),
      `import { definePath, gaussianPath } from '${core}';\nexport const straight = definePath({ name: 'straight', create: () => gaussianPath({ name: 'straight', mean: (t, x1) => x1.mul(t), std: (t) => t.neg().add(1.001) }) });\n`,
    );
    await writeFile(folder.file('lib/points.csv'), 'x,y\n1,2\n3,4\n');
    const loaded = await load(
      'data: { name: points, file: lib/points.csv }\npath: straight\nplugins: [./lib/straight.mjs]\nbackend: reference\n',
    );
    await using assembled = await assembleExperiment(loaded);
    expect(assembled.flow.path.name).to.equal('straight');
    expect(assembled.data.size).to.equal(2);
  });

  const good = 'data: { name: checkerboard }\n';
  const refused: readonly (readonly [what: string, text: string, message: RegExp, settings?: readonly string[]])[] = [
    ['nothing', '', /^e\.yaml is empty/],
    ['a list', '- a\n', /^e\.yaml holds no keys/],
    ['broken YAML', 'data: { name: checkerboard\nmodel: mlp\n', /^e\.yaml:2:1: /],
    ['a key given twice', `${good}seed: 1\nseed: 2\n`, /^e\.yaml:3:1: Map keys must be unique/],
    ['no data', 'seed: 1\n', /^e\.yaml:1:1: data is missing\. Expected a dataset, one of .*checkerboard/],
    [
      'an unknown key',
      `${good}modle: { width: 8 }\n`,
      /^e\.yaml:2:1: 'modle' is not an option of an experiment\. Expected one of .*Did you mean 'model'\?/,
    ],
    [
      'a misspelt plugin',
      'data: { name: chekerboard }\n',
      /^e\.yaml:1:15: There is no dataset named 'chekerboard'\. Expected one of .*Did you mean 'checkerboard'\?/,
    ],
    [
      'a misspelt plugin, given by name alone',
      `${good}path: optimal-transprot\n`,
      /^e\.yaml:2:7: There is no path named 'optimal-transprot'.*Did you mean 'optimal-transport'\?/,
    ],
    [
      'an unknown option',
      `${good}model:\n  name: mlp\n  widht: 8\n`,
      /^e\.yaml:4:3: 'widht' is not an option of the model 'mlp'\. Expected one of width, depth.*Did you mean 'width'\?/,
    ],
    [
      'an option of the wrong type',
      `${good}model: { width: wide }\n`,
      /^e\.yaml:2:17: model\.width is 'wide'\. Expected (an integer|number)/,
    ],
    [
      'a value out of range',
      `${good}model: { width: -3 }\n`,
      /^e\.yaml:2:17: model\.width is -3\. Expected a number > 0/,
    ],
    [
      'a fraction for a whole number',
      `${good}model: { width: 2.5 }\n`,
      /^e\.yaml:2:17: model\.width is 2\.5\. Expected an integer/,
    ],
    [
      'a misspelt choice',
      `${good}model: { activation: sliu }\n`,
      /^e\.yaml:2:22: model\.activation is 'sliu'\. Expected one of silu, gelu.*Did you mean 'silu'\?/,
    ],
    [
      'an unknown option of a nested plugin',
      `${good}optimizer:\n  schedule: { name: cosine, warmpu: 9 }\n`,
      /^e\.yaml:3:29: 'warmpu' is not an option of the schedule 'cosine'.*Did you mean 'warmup'\?/,
    ],
    [
      'a misspelt nested plugin',
      `${good}optimizer: { schedule: { name: cosin } }\n`,
      /^e\.yaml:2:32: There is no schedule named 'cosin'.*Did you mean 'cosine'\?/,
    ],
    [
      'a training of no steps',
      `${good}training: { steps: 0 }\n`,
      /^e\.yaml:2:20: training\.steps is 0\. Expected a number > 0/,
    ],
    [
      'an unknown training key',
      `${good}training: { step: 10 }\n`,
      /^e\.yaml:2:13: 'step' is not an option of training\. Expected one of steps, .*Did you mean 'steps'\?/,
    ],
    [
      'an average that never moves',
      `${good}training: { ema: 1 }\n`,
      /^e\.yaml:2:18: training\.ema is 1\. Expected a number < 1/,
    ],
    ['a negative seed', `${good}seed: -1\n`, /^e\.yaml:2:7: seed is -1\. Expected a number ≥ 0/],
    ['a name of control characters', `${good}name: "a\\eb"\n`, /^e\.yaml:2:7: name is 'a.b'\. Expected a text without/],
    [
      'options of sessions that write files',
      `${good}backend: { name: onnx, session: { optimizedModelFilePath: /tmp/x } }\n`,
      /'optimizedModelFilePath' is not an option of backend\.session\. Expected one of executionProviders, executionMode, /,
    ],
    [
      'options of providers that write files',
      `${good}backend: { name: onnx, session: { executionProviders: [{ name: coreml, modelCacheDirectory: /tmp/x }] } }\n`,
      /^e\.yaml:2:\d+: 'modelCacheDirectory' is not an option/,
    ],
    [
      'configuration of sessions by key',
      `${good}backend: { name: onnx, session: { extra: { session: { profiling: '1' } } } }\n`,
      /'extra' is not an option of backend\.session/,
    ],
    ['a list for a part', `${good}model: [mlp]\n`, /^e\.yaml:2:8: model is \["mlp"\]\. Expected a model/],
    [
      'a setting with a misspelt key',
      good,
      /^--set model\.widht=8: 'widht' is not an option of the model 'mlp'.*Did you mean 'width'\?/,
      ['model.widht=8'],
    ],
    ['a setting out of range', good, /^--set training\.steps=-1: training\.steps is -1/, ['training.steps=-1']],
    ['a setting below a number', `${good}seed: 1\n`, /^--set seed\.a=1: seed is 1, which has no parts/, ['seed.a=1']],
    [
      'a setting of a part that is none',
      good,
      /^--set modle\.width=8: 'modle' is not an option of an experiment.*Did you mean 'model'\?/,
      ['modle.width=8'],
    ],
    [
      'a plugin module that is not there',
      `${good}plugins: [./nowhere.mjs]\n`,
      /The plugin module '\.\/nowhere\.mjs' cannot be imported/,
    ],
    ['an alias of nothing', 'data: *nope\n', /^e\.yaml:1:7: There is no anchor '&nope'/],
    ['data that contain themselves', 'a: &a [*a]\ndata: *a\n', /^e\.yaml:1:8: The value contains itself/],
    [
      'aliases of aliases of aliases',
      `a: &a [1]\n${Array.from('bcdefgh', (key, i) => `${key}: &${key} [${`*${'abcdefg'[i]},`.repeat(9)}]`).join('\n')}\ndata: *h\n`,
      /^e\.yaml:\d+:\d+: Aliases stand for more than 100000 values/,
    ],
    ['a merge of a number', `${good}<<: 3\n`, /^e\.yaml:2:1: The merge key '<<' is given no record/],
    ['a merge of a list', `${good}model: { <<: [1] }\n`, /^e\.yaml:2:10: The merge key '<<' is given no record/],
    ['a key that is a list', `${good}? [1]\n: 2\n`, /^e\.yaml:2:3: A key is not a text/],
    ['bytes in a text', `${good}name: !!binary aGk=\n`, /^e\.yaml:2:16: A value of type .*binary/],
    [
      'values nested deeply',
      `data: ${'['.repeat(70)}${']'.repeat(70)}\n`,
      /^e\.yaml:1:\d+: Values are nested too deeply.*64/,
    ],
    ['values nested very deeply', `data: ${'['.repeat(20_000)}`, /^e\.yaml:1:\d+: Values are nested too deeply.*64/],
    ['a file of more than a mebibyte', `${good}#${'x'.repeat(2 ** 20)}`, /^e\.yaml has \d+ bytes.*1048576/],
    ['an infinite number', `${good}seed: .inf\n`, /^e\.yaml:2:7: seed is \.inf\. Expected a finite number/],
    ['a number that is none', `${good}model: [.nan]\n`, /^e\.yaml:2:8: model is \[\.nan\]/],
    [
      'a name of a mebibyte',
      `data: ${'x'.repeat(1_000_000)}\n`,
      /^e\.yaml:1:7: There is no dataset named 'x{100}… \(1000000 characters\)'.{0,400}$/,
    ],
    [
      'a key of prototypes',
      'data: { name: checkerboard, __proto__: { x: 1 } }\n',
      /^e\.yaml:1:29: '__proto__' cannot be a key/,
    ],
    ['a setting of prototypes', good, /^--set __proto__\.x=1: '__proto__' cannot be a key/, ['__proto__.x=1']],
    ['a setting that merges', good, /^--set model\.<<=x: '<<' cannot be a key/, ['model.<<=x']],
    ['a setting of a value with prototypes', good, /'constructor' cannot be a key/, ['model={ constructor: 1 }']],
    ['a setting that contains itself', good, /The value contains itself/, ['model=&a [*a]']],
    [
      'a setting before a list',
      'data: { name: gaussian-mixture, means: [[1]] }',
      /^--set data\.means\.-1=5: data\.means is a list and has no place '-1'. Expected a number from 0 to 1/,
      ['data.means.-1=5'],
    ],
    [
      'a setting that names a place of a list',
      `${good}plugins: []\n`,
      /^--set plugins\.x=1: plugins is a list/,
      ['plugins.x=1'],
    ],
    [
      'a setting far beyond a list',
      `${good}plugins: []\n`,
      /^--set plugins\.1e9=1: plugins is a list/,
      ['plugins.1e9=1'],
    ],
  ];
  for (const [what, text, message, settings] of refused) {
    it(`refuses ${what}`, async () => {
      expect(await refusal(text, settings)).to.match(message);
    });
  }

  it('pairs two data sets, files among them', async () => {
    await writeFile(folder.file('target.csv'), '1,2\n3,4\n');
    const pair = (file: string): string =>
      `data: { name: pair, source: gaussian, target: { name: points, file: ${file} } }\npath: paired-lines\n`;
    const loaded = await load(pair('target.csv'));
    expect(loaded.experiment.data['source']).to.deep.equal({ name: 'gaussian', dimension: 2, std: 1 });
    await using assembled = await assembleExperiment(loaded);
    const { x0, x1 } = await assembled.data.batch({ index: 0, size: 2, seed: 0 });
    expect([x0?.shape, x1.shape]).to.deep.equal([
      [2, 2],
      [2, 2],
    ]);
    const missing = await load(pair('missing.csv'));
    const error = await assembleExperiment(missing).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).to.contain('missing.csv');
  });

  it('resolves merge keys, with own keys taking precedence', async () => {
    const { experiment } = await load(`data: checkerboard\nmodel: { <<: { width: 8, depth: 2 }, depth: 3 }\n`);
    expect(experiment.model).to.include({ width: 8, depth: 3 });
  });

  it('lists all problems at once', async () => {
    expect(await refusal(`${good}sed: 1\nmodel: { width: 0 }\nsolver: eulr\n`)).to.match(
      /^e\.yaml:2:1: .*\ne\.yaml:3:17: .*\ne\.yaml:4:9: .*'eulr'/,
    );
  });

  it('explains that this Node version cannot load a TypeScript module', async function () {
    if (Number(process.versions.node.split('.')[0]) !== 20) this.skip();
    // The test runner loads TypeScript, so this looks at the built-in loader of another process.
    const { execFileSync } = await import('node:child_process');
    await writeFile(folder.file('e.ts'), 'export default { data: "checkerboard" };');
    const script = `import('${folder.file('e.ts')}').catch((error) => console.log(error.code))`;
    expect(
      execFileSync(process.execPath, ['-e', script], { env: { ...process.env, NODE_OPTIONS: '' } }).toString(),
    ).to.equal('ERR_UNKNOWN_FILE_EXTENSION\n');
  });
});

describe('the problems of an experiment', () => {
  it('may be more than a call takes arguments', async () => {
    const source: ExperimentSource = {
      file: 'e.yaml',
      directory: '.',
      title: 'e',
      value: { data: { name: 'gaussian', mean: Array.from({ length: 200_000 }, () => 'x') } },
      locate: () => 'e.yaml',
      isSet: () => false,
    };
    const error = await resolveExperiment(source, createRootContainer()).then(
      () => undefined,
      (reason: unknown) => reason as ExperimentError,
    );
    expect(error).to.be.instanceOf(ExperimentError);
    expect(error?.actual).to.have.length(200_000);
  });
});
