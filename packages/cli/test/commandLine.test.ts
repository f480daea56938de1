import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { inProcess, start, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

describe('the command line', () => {
  const folder = temporaryFolder();

  it('exits with 0 for help, in a separate process', async () => {
    const { status, stdout, stderr } = await start(['--help'], folder.path).ended;
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    for (const command of ['train', 'sample', 'evaluate', 'doctor', 'plugins'])
      expect(stdout).to.match(new RegExp(`^  ${command} `, 'm'));
  });

  it('exits with 2 for wrong usage, in a separate process', async () => {
    const { status, stdout, stderr } = await start(['trian', 'x.yaml'], folder.path).ended;
    expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
    expect(stderr).to.match(/unknown command 'trian'\n\(Did you mean train\?\)/);
  });

  it('exits with 1 for a failure, in a separate process', async () => {
    const { status, stdout, stderr } = await start(['evaluate', 'nowhere'], folder.path).ended;
    expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
    expect(stderr).to.match(/^error FM_RUN: There is no run directory nowhere\. .*flow-matching train/);
  });

  const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
    ['no command', [], /Usage: flow-matching/],
    ['a misspelt option', ['train', 'e.yaml', '--resum'], /unknown option '--resum'\n\(Did you mean --resume\?\)/],
    ['a missing argument', ['train'], /missing required argument 'experiment'/],
    ['one argument too many', ['evaluate', 'a', 'b'], /too many arguments/],
    ['no count', ['sample', 'runs/a', '--out', 'a.npy'], /required option '--count <n>' not specified/],
    [
      'a count of none',
      ['sample', 'runs/a', '--count', '0', '--out', 'a.npy'],
      /'0' is invalid.*Expected an integer from 1 to 2147483647/,
    ],
    ['a count of more than 31 bits', ['sample', 'runs/a', '--count', '1e15', '--out', 'a.npy'], /'1e15' is invalid/],
    ['a count in words', ['sample', 'runs/a', '--count', 'ten', '--out', 'a.npy'], /'ten' is invalid/],
    [
      'an ending that nothing is written in',
      ['sample', 'runs/a', '--count', '1', '--out', 'a.jpg'],
      /--out a\.jpg has no known ending\. Expected \.npy, \.csv, \.png/,
    ],
    [
      'a directory that is not there',
      ['sample', 'runs/a', '--count', '1', '--out', '/nowhere/a.npy'],
      /no directory \/nowhere to write a\.npy to/,
    ],
    [
      'a way of one point',
      ['sample', 'runs/a', '--count', '1', '--out', 'a.npy', '--trajectory', '1'],
      /--trajectory 1/,
    ],
    ['a seed below zero', ['sample', 'runs/a', '--count', '1', '--out', 'a.npy', '--seed=-1'], /'-1' is invalid/],
    ['an experiment that is not there', ['train', '/nowhere/e.yaml'], /There is no experiment file \/nowhere\/e\.yaml/],
    [
      'a setting without a value',
      ['train', 'e.yaml', '--set', 'model.width'],
      /'model\.width' is not a setting\. Expected key=value/,
    ],
    ['a kind of plugin that there is not', ['plugins', '--kind', 'paths'], /There is no kind 'paths'/],
  ];
  for (const [what, args, message] of wrong) {
    it(`exits with 2 for ${what}`, async () => {
      const { status, stdout, stderr } = await inProcess(...args);
      expect(stderr + stdout).to.match(message);
      expect(status).to.equal(2);
    });
  }

  it('also reports problems of an experiment as one JSON document', async () => {
    await writeFile(folder.file('e.yaml'), tinyExperiment.replace('width', 'widht'));
    const { status, stdout, stderr } = await inProcess('train', folder.file('e.yaml'), '--json');
    expect(status).to.equal(2);
    expect(stderr).to.match(/e\.yaml:4:21: 'widht' is not an option/);
    const { error } = JSON.parse(stdout) as { error: { code: string; problems: { location: string; key: string }[] } };
    expect(error.code).to.equal('FM_EXPERIMENT');
    expect(error.problems).to.have.length(1);
    expect(error.problems[0]).to.deep.include({ location: `${folder.file('e.yaml')}:4:21`, key: 'model.widht' });
  });

  it('reports wrong usage as one JSON document too', async () => {
    const { status, stdout } = await inProcess('sample', 'runs/a', '--json');
    expect(status).to.equal(2);
    expect(JSON.parse(stdout)).to.have.nested.property('error.code', 'FM_USAGE');
  });

  it('lists plugins with their options', async () => {
    const { status, stdout } = await inProcess('plugins');
    expect(status).to.equal(0);
    expect(stdout)
      .to.match(/^model\n {2}mlp /m)
      .and.to.match(/^ {6}activation +silu \| gelu \|.*default "silu" +Activation/m)
      .and.to.match(/^ {6}schedule +schedule +default constant +Schedule of/m);
    const { stdout: json } = await inProcess('plugins', '--kind', 'model', '--json');
    const { model } = JSON.parse(json) as {
      model: { name: string; options: { name: string; type: string; default?: unknown }[] }[];
    };
    expect(model.find(({ name }) => name === 'mlp')?.options[0]).to.deep.equal({
      name: 'width',
      type: 'integer > 0, ≤ 65536',
      default: 512,
      required: false,
      description: 'Units of each hidden layer',
    });
  });
});
