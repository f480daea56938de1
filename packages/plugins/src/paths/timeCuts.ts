/** 1 − 2⁻²⁴, the last f32 before 1: where paths end whose std goes to 0 linearly, so that no field is asked for at std 0. */
export const lastBeforeOne = 1 - 2 ** -24;

/**
 * The cut of diffusion paths (REFERENCE §1): where the std goes to 0 as a square root its derivative grows without bound, and so
 * would the training target.
 */
export const squareRootCut = 1e-5;
