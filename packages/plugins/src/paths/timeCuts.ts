/** 1 − 2⁻²⁴, the last f32 before 1: the end of paths whose std goes to 0 linearly, so that no field is evaluated at std 0. */
export const lastBeforeOne = 1 - 2 ** -24;

/**
 * The cut-off of diffusion paths: where the std goes to 0 like a square root, its derivative grows without bound, and so would
 * the training target.
 */
export const squareRootCut = 1e-5;
