import { readFileSync } from 'node:fs';
import { gaussianPath, type Path } from '@flow-matching/core';
import { optimalTransport } from '../../src/index.ts';

/** The cases of a file under test/oracles. */
export function oracleCases<Case>(name: string): Case[] {
  const file = new URL(`../../../../test/oracles/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }).cases;
}

export interface PathCase {
  readonly path: string;
  readonly options: Readonly<Record<string, number>>;
}

const vp = ({ betaMin, betaMax }: Readonly<Record<string, number>>): Path => {
  const exponent = (t: Parameters<Path['std']>[0]) => {
    const s = t.neg().add(1);
    return s.mul(betaMin).add(s.square().mul((betaMax - betaMin) / 2));
  };
  return gaussianPath({
    mean: (t, x1) => x1.mul(exponent(t).mul(-0.5).exp()),
    std: (t) => exponent(t).neg().exp().neg().add(1).sqrt(),
    priorStd: Math.sqrt(-Math.expm1(-(betaMin + betaMax) / 2)),
    interval: { start: 0, end: 1 - 1e-5 },
  });
};

const ve = ({ sigmaMin, sigmaMax }: Readonly<Record<string, number>>): Path =>
  gaussianPath({
    mean: (t, x1) => x1.add(t.mul(0)),
    std: (t) =>
      t
        .neg()
        .add(1)
        .mul(Math.log(sigmaMax / sigmaMin))
        .exp()
        .mul(sigmaMin),
    priorStd: sigmaMax,
  });

const trigonometric = (): Path =>
  gaussianPath({
    mean: (t, x1) => x1.mul(t.mul(Math.PI / 2).sin()),
    std: (t) => t.mul(Math.PI / 2).cos(),
    interval: { start: 0, end: 0.999 },
  });

const makers: Record<string, (options: Readonly<Record<string, number>>) => Path> = {
  'optimal-transport': (options) => optimalTransport(options),
  'variance-preserving': vp,
  'variance-exploding': ve,
  'custom-trigonometric': trigonometric,
};

/** The path that an oracle case names: the plugin, or a stand-in for those that are not written yet. */
export const pathOf = ({ path, options }: PathCase): Path => makers[path](options);
