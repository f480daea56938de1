/** Draws count probabilities in units of 2⁻²⁴, the grid of the uniforms: sums are exact then. */
export const digits = 24;

/** Probability 1 in these units. */
export const sure = 2 ** digits;
