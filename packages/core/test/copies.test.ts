import { assert } from 'chai';
import { readFile } from 'node:fs/promises';
import { Container, ContainerModule } from 'inversify';
import { version } from '../src/copy.ts';
import * as core from '../src/index.ts';
import { copyOf, type Copy } from '../../tensor/test/support/copyOf.ts';
import { expectTold } from '../../tensor/test/support/expectTold.ts';
import { rejectionOf, thrownBy } from '../../tensor/test/support/thrownBy.ts';

describe('two copies of core', () => {
  let copy: Copy<typeof core>;
  let other: typeof core;
  before(async function () {
    this.timeout(60_000);
    copy = await copyOf(import.meta.url);
    other = copy.module;
  });
  after(() => copy.remove());

  const expectCoreTold = (message: string): void => expectTold(message, '@flow-matching/core', version);
  const pluginOf = (from: typeof core) => from.definePath({ name: 'straight', create: () => ({}) as never });

  it('are reported if a plugin of the other is registered or loaded', async () => {
    const plugin = pluginOf(other);
    const error = thrownBy(() => core.pluginModule([plugin]));
    assert.equal(error.code, 'FM_COPY');
    assert.include(error.message, "path 'straight'");
    expectCoreTold(error.message);
    const load = core.loadPlugins(new Container(), ['their-path'], async () => ({ plugin }));
    expectCoreTold((await rejectionOf(load)).message);
    const container = new Container();
    container.load(new ContainerModule(({ bind }) => void bind(core.kindToken('path')).toConstantValue(plugin)));
    expectCoreTold(thrownBy(() => new core.PluginRegistry(container).find('path', 'straight')).message);
  });

  it('are reported if the other is too old to be marked', () => {
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

  it('do not affect objects of one copy', () => {
    new core.PluginRegistry(core.createContainer([pluginOf(core)])).find('path', 'straight');
    new other.PluginRegistry(other.createContainer([pluginOf(other)])).find('path', 'straight');
  });

  it('state the version of the package', async () => {
    const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
    assert.equal(version, (JSON.parse(text) as { version: string }).version);
  });
});
