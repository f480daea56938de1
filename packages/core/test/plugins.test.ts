import {
  createContainer,
  defineDataset,
  defineOptimizer,
  definePath,
  defineSchedule,
  gaussianPath,
  isPlugin,
  loadPlugins,
  PluginError,
  pluginModule,
  PluginRegistry,
  FILES,
  type Files,
  type Schedule,
} from '@flow-matching/core';
import { OptionError } from '@flow-matching/tensor';
import { expect } from 'chai';
import * as z from 'zod';

const straight = definePath({
  name: 'straight',
  summary: 'a straight line',
  options: z.strictObject({ sigma: z.number().positive().default(0.5) }),
  create: ({ sigma }) =>
    gaussianPath({ name: 'straight', mean: (t, x1) => x1.mul(t), std: (t) => t.mul(-(1 - sigma)).add(1), priorStd: 1 }),
});
const halved = defineSchedule({
  name: 'halved',
  options: z.strictObject({ factor: z.number().default(0.5) }),
  create: ({ factor }) => ({ name: 'halved', factor: () => factor }),
});
const still = defineOptimizer({
  name: 'still',
  options: z.strictObject({ schedule: z.custom<Schedule>().optional() }),
  nested: { schedule: 'schedule' },
  create: ({ schedule }) => ({
    name: 'still',
    learningRate: 1,
    schedule: schedule ?? { name: 'none', factor: () => 1 },
    init: () => ({}),
    update: ({ parameter }) => ({ parameter, state: {} }),
  }),
});

describe('plugins', () => {
  it('are factories with their options checked', () => {
    expect(straight().std.length).to.equal(1);
    expect(isPlugin(straight)).to.equal(true);
    expect([straight.kind, straight.pluginName, straight.summary]).to.deep.equal([
      'path',
      'straight',
      'a straight line',
    ]);
    expect(() => straight({ sigma: -1 })).to.throw(OptionError, /path 'straight' refuses its option 'sigma'/);
    expect(() => straight({ sgima: 1 } as never)).to.throw(OptionError, /no option 'sgima'.*sigma/);
  });

  it('are found by name, nested ones too', () => {
    const registry = new PluginRegistry(createContainer([straight, halved, still]));
    const optimizer = registry.build('optimizer', { name: 'still', schedule: { name: 'halved', factor: 0.25 } });
    expect(optimizer.schedule.factor(0, 1)).to.equal(0.25);
    expect(registry.list('path').map((plugin) => plugin.pluginName)).to.deep.equal(['straight']);
  });

  it('of an unknown name are answered with the nearest known one', () => {
    const registry = new PluginRegistry(createContainer([straight, halved]));
    expect(() => registry.build('path', { name: 'strait' })).to.throw(
      PluginError,
      /no path named 'strait'.*straight.*Did you mean 'straight'/,
    );
    expect(() => registry.build('solver', { name: 'dopri5' })).to.throw(PluginError, /none is/);
    expect(() => registry.build('path', { name: 'zzz' })).to.not.throw(PluginError, /Did you mean/);
  });

  it('of a child container hide those of its parent', () => {
    const parent = createContainer([straight, halved]);
    const own = definePath({ name: 'straight', summary: 'mine', create: () => straight() });
    const registry = new PluginRegistry(createContainer([own], parent));
    expect(registry.find('path', 'straight').summary).to.equal('mine');
    expect(registry.list('path')).to.have.length(1);
    expect(registry.find('schedule', 'halved').pluginName).to.equal('halved');
  });

  it('get services of their container', async () => {
    const reader = defineDataset({
      name: 'reader',
      create: async (_, context) => {
        const size = (await context.get(FILES).read('some file')).length;
        return { name: 'reader', shape: [size], batch: () => Promise.reject(new Error('not read')) };
      },
    });
    const container = createContainer([reader]);
    await expectCode(
      Promise.resolve().then(() => new PluginRegistry(container).build('dataset', { name: 'reader' })),
      'FM_PLUGIN',
    );
    await expectCode(
      Promise.resolve().then(() => reader()),
      'FM_PLUGIN',
    );
    container.bind<Files>(FILES).toConstantValue({ read: () => Promise.resolve(new Uint8Array(3)) });
    expect((await new PluginRegistry(container).build('dataset', { name: 'reader' })).shape).to.deep.equal([3]);
  });

  it('are loaded from modules by specifier', async () => {
    const modules: Record<string, object> = {
      'a-path': { default: straight, straight },
      'a-module': { plugins: pluginModule([halved]) },
      nothing: { answer: 42 },
    };
    const load = (specifier: string): Promise<object> =>
      specifier in modules ? Promise.resolve(modules[specifier]) : Promise.reject(new Error('Cannot find package'));
    const container = createContainer();
    await loadPlugins(container, ['a-path', 'a-module'], load);
    const registry = new PluginRegistry(container);
    expect(registry.list('path')).to.have.length(1);
    expect(registry.find('schedule', 'halved').pluginName).to.equal('halved');
    await expectCode(loadPlugins(container, ['nothing'], load), 'FM_PLUGIN');
    await expectCode(loadPlugins(container, ['missing'], load), 'FM_PLUGIN');
  });
});

async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect((failure as { code?: string } | undefined)?.code).to.equal(code);
}
