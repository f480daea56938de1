import { hostArray, hostScalar, trace, f32, type HostArray } from '@flow-matching/tensor';

export const vector = (...values: number[]): HostArray => hostArray(values);
export const scalar = (value: number): HostArray => hostScalar(value);

/** A minimal step: a state that is incremented, and a multiple of it. Integers stay exact. Each call traces it again. */
export const incrementTraced = ({ factor = 2 } = {}) =>
  trace(({ state, by }) => ({ state: state.add(by), twice: state.mul(factor) }), { state: f32([3]), by: f32() });
export const increment = incrementTraced();

/** The state's array is donated. */
export const inPlace = { aliases: [['state', 'state']] } as const;
