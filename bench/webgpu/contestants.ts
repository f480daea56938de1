import type { Contestant } from './contestant.ts';

/** Frameworks on WebGPU: ours, with which the others are compared, first. Each is loaded where it is used, in a process of its own. */
export const contestants = {
  'flow-matching': async () => (await import('./ourContestant.ts')).ourContestant(),
  'jax-js': async () => (await import('./jaxJsContestant.ts')).jaxJsContestant(),
  onnxruntime: async () => (await import('./onnxContestant.ts')).onnxContestant(),
  tfjs: async () => (await import('./tfjsContestant.ts')).tfjsContestant(),
} as const satisfies Readonly<Record<string, () => Promise<Contestant>>>;

export type ContestantName = keyof typeof contestants;
export const contestantNames = Object.keys(contestants) as readonly ContestantName[];
export const isContestantName = (name: string): name is ContestantName => Object.hasOwn(contestants, name);
