import { createContainer, PluginRegistry } from '@flow-matching/core';
import { expect } from 'chai';
import { builtinPlugins } from '../src/index.ts';

/** Options without which a plugin cannot be built. */
const needed: Readonly<Record<string, object>> = {
  points: { data: [[1], [2]] },
  'gaussian-mixture': { means: [[0, 0]] },
  pair: { source: { name: 'gaussian' }, target: { name: 'moons' } },
  custom: { mean: 't * x1', std: '1 - t' },
  'flow-matching': { density: { name: 'checkerboard' } },
};

describe('builtinPlugins', () => {
  it('are built by name, and bear it', async () => {
    const registry = new PluginRegistry(createContainer(builtinPlugins));
    for (const { kind, pluginName } of builtinPlugins) {
      const built = await registry.build(kind, { name: pluginName, ...needed[pluginName] });
      expect(built.name, kind).to.equal(pluginName);
    }
  });

  it('have unique names within their kind, and a summary', () => {
    const names = builtinPlugins.map(({ kind, pluginName }) => `${kind} ${pluginName}`);
    expect(new Set(names).size).to.equal(names.length);
    for (const { pluginName, summary } of builtinPlugins) expect(summary, pluginName).to.match(/^\S.{9,70}[^.]$/);
  });
});
