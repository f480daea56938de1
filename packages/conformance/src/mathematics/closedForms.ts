/** A path's coefficients in f64, computed only with Math: mean = scale·x1 + sourceScale·x0, std, and their rates. */
export interface ClosedForm {
  readonly scale: number;
  readonly std: number;
  readonly scaleRate: number;
  readonly stdRate: number;
  /** Coefficient of x0; absent on one-sided paths. */
  readonly sourceScale?: number;
  readonly sourceScaleRate?: number;
}

export type ClosedFormAt = (t: number) => ClosedForm;

/** Lipman et al. 2023, equation 20. */
export const optimalTransportForm =
  (sigmaMin: number): ClosedFormAt =>
  (t) => ({ scale: t, scaleRate: 1, std: 1 - (1 - sigmaMin) * t, stdRate: sigmaMin - 1 });

/** Lipman et al. 2023, equation 18: α = exp(−T(1 − t)/2), T(s) = ∫ β. */
export const variancePreservingForm =
  (betaMin: number, betaMax: number): ClosedFormAt =>
  (t) => {
    const s = 1 - t;
    const integral = betaMin * s + ((betaMax - betaMin) / 2) * s * s;
    const rate = betaMin + (betaMax - betaMin) * s;
    const scale = Math.exp(-integral / 2);
    const std = Math.sqrt(-Math.expm1(-integral));
    const scaleRate = (scale * rate) / 2;
    // α² + σ² = 1, so σ′ = −αα′/σ.
    return { scale, std, scaleRate, stdRate: (-scale * scaleRate) / std };
  };

/** Lipman et al. 2023, equation 16, with a geometric schedule. */
export const varianceExplodingForm =
  (sigmaMin: number, sigmaMax: number): ClosedFormAt =>
  (t) => {
    const std = sigmaMin ** t * sigmaMax ** (1 - t);
    return { scale: 1, scaleRate: 0, std, stdRate: std * Math.log(sigmaMin / sigmaMax) };
  };

export const trigonometricForm: ClosedFormAt = (t) => {
  const quarter = Math.PI / 2;
  return {
    scale: Math.sin(quarter * t),
    scaleRate: quarter * Math.cos(quarter * t),
    std: Math.cos(quarter * t),
    stdRate: -quarter * Math.sin(quarter * t),
  };
};

export const linearVariancePreservingForm: ClosedFormAt = (t) => {
  const std = Math.sqrt((1 - t) * (1 + t));
  return { scale: t, scaleRate: 1, std, stdRate: -t / std };
};

export const polynomialForm =
  (degree: number): ClosedFormAt =>
  (t) => {
    const rate = degree * t ** (degree - 1);
    return { scale: t ** degree, scaleRate: rate, std: 1 - t ** degree, stdRate: -rate };
  };

const bridge = (sigma: number, t: number): { std: number; stdRate: number } => {
  const root = Math.sqrt(t * (1 - t));
  return { std: sigma * root, stdRate: (sigma * (1 - 2 * t)) / (2 * root) };
};

const lines = (t: number) => ({ scale: t, scaleRate: 1, sourceScale: 1 - t, sourceScaleRate: -1 });

/** Tong et al. 2023, "Simulation-free Schrödinger bridges via score and flow matching". */
export const schrodingerBridgeForm =
  (sigma: number): ClosedFormAt =>
  (t) => ({ ...lines(t), ...bridge(sigma, t) });

/** Tong et al. 2024, equations 14 and 15. */
export const pairedLinesForm =
  (sigma: number): ClosedFormAt =>
  (t) => ({ ...lines(t), std: sigma, stdRate: 0 });

/** Albergo, Boffi & Vanden-Eijnden 2023. */
export const stochasticInterpolantForm =
  (interpolant: 'linear' | 'trigonometric', sigma: number): ClosedFormAt =>
  (t) => {
    if (interpolant === 'linear') return { ...lines(t), ...bridge(sigma, t) };
    const { scale, scaleRate, std, stdRate } = trigonometricForm(t);
    return { scale, scaleRate, sourceScale: std, sourceScaleRate: stdRate, ...bridge(sigma, t) };
  };
