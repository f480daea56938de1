/** Probabilities are counted in units of 2⁻²⁴, the grid of the uniforms, so that sums are exact. */
export const digits = 24;

/** Probability 1 in these units. */
export const sure = 2 ** digits;
