import { pathCoefficients, type Objective } from '@flow-matching/core';
import { whereScaleIsTrusted } from './trustedInterval.ts';

/**
 * Common parts of objectives whose model predicts the score s = ∇ₓ log p_t(x): the field (a′/a)·x + (σ²·a′/a − σ·σ′)·s. Nothing
 * is divided by σ, so the data end needs no special treatment; where a vanishes, at the noise end, the field is held constant.
 */
export const scoreField: Pick<Objective, 'field'> & Required<Pick<Objective, 'interval'>> = {
  interval: whereScaleIsTrusted,
  field(score, { path, t, x }) {
    const { scale, std, scaleRate, stdRate } = pathCoefficients(path, t, x);
    const data = x.add(std.square().mul(score)).div(scale);
    return scaleRate.mul(data).sub(std.mul(stdRate).mul(score));
  },
};
