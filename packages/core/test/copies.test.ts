import { assert } from 'chai';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { Container, ContainerModule } from 'inversify';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as core from '../src/index.ts';
import { rejectionOf, thrownBy } from './support/thrownBy.ts';

const here = dirname(fileURLToPath(import.meta.url));

describe('two copies of core', () => {
  let directory: string;
  let other: typeof core;
  before(async function () {
    this.timeout(60_000);
    // Beside the sources, so that it finds the packages that they import.
    directory = await mkdtemp(join(here, 'copy-of-core-'));
    await cp(join(here, '..', 'src'), join(directory, 'src'), { recursive: true });
    other = (await import(pathToFileURL(join(directory, 'src', 'index.ts')).href)) as typeof core;
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** The error tells of both copies and of the cure. */
  function expectTold(message: string): void {
    assert.include(message, 'another copy of @flow-matching/core');
    assert.include(message, `version ${core.version} here`);
    assert.include(message, 'peerDependencies');
    assert.include(message, 'npm dedupe');
  }
  const types = { x: core.f32([2]) };
  const pluginOf = (from: typeof core) => from.definePath({ name: 'straight', create: () => ({}) as never });

  it('are told of where tensors of both meet in an operator', () => {
    const formulas: readonly ((x: core.Tensor) => core.Tensor)[] = [
      (x) => x.add(other.constant(2)),
      (x) => other.constant(2).add(x),
      (x) => other.sin(x),
      (x) => other.reshape(x, [1, 2]),
      (x) => core.where(other.constant(1, 'bool'), x, x),
    ];
    for (const formula of formulas) {
      let message = 'nothing was thrown';
      try {
        core.trace(({ x }) => formula(x), types);
      } catch (error) {
        message = (error as Error).message;
      }
      expectTold(message);
    }
  });

  it('are told of where a formula returns a tensor of the other', () => {
    expectTold(thrownBy(() => core.trace(() => other.constant(1), types)).message);
  });

  it('are told of where a plugin of the other is registered or loaded', async () => {
    const plugin = pluginOf(other);
    const error = thrownBy(() => core.pluginModule([plugin]));
    assert.equal(error.code, 'FM_COPY');
    assert.include(error.message, "path 'straight'");
    expectTold(error.message);
    const load = core.loadPlugins(new Container(), ['their-path'], async () => ({ plugin }));
    expectTold((await rejectionOf(load)).message);
    const container = new Container();
    container.load(new ContainerModule(({ bind }) => void bind(core.kindToken('path')).toConstantValue(plugin)));
    expectTold(thrownBy(() => new core.PluginRegistry(container).find('path', 'straight')).message);
  });

  it('are told of where the other is too old to be marked', () => {
    const plugin = Object.assign(() => ({}) as never, {
      kind: 'path' as const,
      pluginName: 'old',
      summary: '',
      options: undefined as never,
      nested: {},
      complete: (given: unknown) => given as never,
    });
    assert.include(thrownBy(() => core.pluginModule([plugin])).message, 'without a mark of its version');
  });

  it('leave alone what is of one copy', () => {
    new core.PluginRegistry(core.createContainer([pluginOf(core)])).find('path', 'straight');
    new other.PluginRegistry(other.createContainer([pluginOf(other)])).find('path', 'straight');
    other.trace(({ x }) => other.sin(x).add(2), { x: other.f32([2]) });
  });

  it('state the version of the package', async () => {
    const text = await readFile(join(here, '..', 'package.json'), 'utf8');
    assert.equal(core.version, (JSON.parse(text) as { version: string }).version);
  });
});
