import { hostArray, hostScalar, trace, f32, type HostArray } from '@flow-matching/core';

export const vector = (...values: number[]): HostArray => hostArray(values);
export const scalar = (value: number): HostArray => hostScalar(value);

/** A step in small: a state that moves on, and a number that is read off it. Whole numbers stay exact. */
export const increment = trace(({ state, by }) => ({ state: state.add(by), twice: state.mul(2) }), {
  state: f32([3]),
  by: f32(),
});

/** The state's array is donated. */
export const inPlace = { aliases: [['state', 'state']] } as const;
