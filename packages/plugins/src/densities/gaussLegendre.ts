/** Nodes and weights of Gauss–Legendre quadrature on [−1, 1], exact for polynomials of degree 2·count − 1. By Newton's method. */
export function gaussLegendre(count: number): { nodes: number[]; weights: number[] } {
  const roots = Array.from({ length: count }, (_, i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let iteration = 0; iteration < 10; iteration++) {
      const { value, derivative } = legendre(count, x);
      slope = derivative;
      x -= value / derivative;
    }
    return { node: x, weight: 2 / ((1 - x * x) * slope * slope) };
  });
  return { nodes: roots.map(({ node }) => node), weights: roots.map(({ weight }) => weight) };
}

/** The Legendre polynomial of this degree and its derivative at x, by recurrence. */
function legendre(degree: number, x: number): { value: number; derivative: number } {
  let [before, value] = [1, x];
  for (let n = 2; n <= degree; n++) [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
  return { value, derivative: (degree * (x * value - before)) / (x * x - 1) };
}
