import { sizeOf, type Shape } from '@flow-matching/tensor';

/** A part of an index: a variable of the kernel, or a quotient or remainder that does not simplify. Never negative. */
export interface Atom {
  readonly key: string;
  /** Values are less than this. */
  readonly extent: number;
  /** The dividend and divisor of a quotient or remainder; absent for a variable, whose key is its name. */
  readonly division?: {
    readonly kind: 'quotient' | 'remainder';
    readonly of: IndexExpression;
    readonly divisor: number;
  };
}

export interface Term {
  readonly atom: Atom;
  readonly factor: number;
}

/**
 * An integer expression of a kernel's variables in canonical form: a constant plus integer multiples of atoms. Equal
 * expressions have equal keys, and bounds are known, so that reshapes, slices and broadcasts reduce to as little arithmetic as
 * possible.
 */
export class IndexExpression {
  readonly constant: number;
  /** Sorted by the key of their atom, without zeros. */
  readonly terms: readonly Term[];
  readonly key: string;
  /** Bounds that hold for all values of the atoms. */
  readonly least: number;
  readonly most: number;

  constructor(constant: number, terms: readonly Term[]) {
    this.constant = constant;
    this.terms = terms;
    this.key = [...terms.map(({ atom, factor }) => `${factor}*${atom.key}`), constant].join('+');
    let [least, most] = [constant, constant];
    for (const { atom, factor } of terms) {
      const reach = factor * (atom.extent - 1);
      least += Math.min(0, reach);
      most += Math.max(0, reach);
    }
    this.least = least;
    this.most = most;
  }

  /** The factor of a variable. */
  factorOf(variable: IndexExpression): number {
    const { key } = variable.terms[0]?.atom ?? { key: '' };
    return this.terms.find(({ atom }) => atom.key === key)?.factor ?? 0;
  }

  /** Whether a variable occurs inside a quotient or remainder, where its step is not constant. */
  dividesBy(variable: IndexExpression): boolean {
    return this.terms.some(
      ({ atom: { division } }) =>
        division !== undefined && (division.of.factorOf(variable) !== 0 || division.of.dividesBy(variable)),
    );
  }
}

export const literal = (value: number): IndexExpression => new IndexExpression(value, []);
export const zero: IndexExpression = literal(0);

/** A variable with values 0, 1, …, extent − 1; a constant if there is only one value. */
export const variable = (name: string, extent: number): IndexExpression =>
  extent <= 1 ? zero : new IndexExpression(0, [{ atom: { key: name, extent }, factor: 1 }]);

export function add(...parts: readonly IndexExpression[]): IndexExpression {
  const factors = new Map<string, Term>();
  let constant = 0;
  for (const part of parts) {
    constant += part.constant;
    for (const { atom, factor } of part.terms) {
      factors.set(atom.key, { atom, factor: factor + (factors.get(atom.key)?.factor ?? 0) });
    }
  }
  return rejoined(constant, factors);
}

export const scale = (expression: IndexExpression, by: number): IndexExpression =>
  by === 0
    ? zero
    : new IndexExpression(
        expression.constant * by,
        expression.terms.map(({ atom, factor }) => ({ atom, factor: factor * by })),
      );

/** Recombines d·⌊x/d⌋ + x mod d into x, with any common factor. */
function rejoined(constant: number, factors: Map<string, Term>): IndexExpression {
  for (const { atom, factor } of factors.values()) {
    if (factor === 0 || atom.division?.kind !== 'remainder') continue;
    const { of, divisor } = atom.division;
    const whole = divide(of, divisor);
    const fits =
      whole.terms.length > 0 &&
      whole.terms.every((term) => factors.get(term.atom.key)?.factor === term.factor * factor * divisor);
    if (!fits) continue;
    const rest = [...factors.values()].filter(
      (term) => term.atom !== atom && !whole.terms.some(({ atom: { key } }) => key === term.atom.key),
    );
    const remaining = new IndexExpression(constant - whole.constant * factor * divisor, sorted(rest));
    return add(remaining, scale(of, factor));
  }
  return new IndexExpression(constant, sorted([...factors.values()]));
}

const sorted = (terms: readonly Term[]): Term[] =>
  terms
    .filter(({ factor }) => factor !== 0)
    .toSorted((a, b) => (a.atom.key < b.atom.key ? -1 : a.atom.key > b.atom.key ? 1 : 0));

/** Splits an expression into an integer multiple of `divisor` and a rest. */
function split(expression: IndexExpression, divisor: number): [multiple: IndexExpression, rest: IndexExpression] {
  const whole = expression.terms.filter(({ factor }) => factor % divisor === 0);
  const others = expression.terms.filter(({ factor }) => factor % divisor !== 0);
  const constant = Math.floor(expression.constant / divisor) * divisor;
  return [new IndexExpression(constant, whole), new IndexExpression(expression.constant - constant, others)];
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);

/** An expression as coarse · by + fine with fine in [0, by). */
interface Separation {
  readonly by: number;
  readonly coarse: IndexExpression;
  readonly fine: IndexExpression;
}

/** Splits a rest so that the coarse part alone determines its quotient by `divisor`, as 4·a does in (4·a + b) / 8 with b < 4. */
function separated(rest: IndexExpression, divisor: number): Separation | undefined {
  const steps = new Set(rest.terms.map(({ factor }) => greatestCommonDivisor(factor, divisor)));
  for (const by of [...steps].toSorted((a, b) => b - a)) {
    if (by === 1) return undefined;
    const [multiple, fine] = split(rest, by);
    if (fine.least >= 0 && fine.most < by) return { by, coarse: scaledDown(multiple, by), fine };
  }
  return undefined;
}

/** ⌊expression / divisor⌋ of a non-negative expression. */
export function divide(expression: IndexExpression, divisor: number): IndexExpression {
  if (divisor === 1) return expression;
  const [multiple, rest] = split(expression, divisor);
  // A rest that may be negative would borrow from the multiple.
  if (rest.least < 0) return division('quotient', expression, divisor);
  return add(scaledDown(multiple, divisor), restDivided(rest, divisor));
}

const scaledDown = (multiple: IndexExpression, divisor: number): IndexExpression =>
  new IndexExpression(
    multiple.constant / divisor,
    multiple.terms.map(({ atom, factor }) => ({ atom, factor: factor / divisor })),
  );

function restDivided(rest: IndexExpression, divisor: number): IndexExpression {
  if (rest.most < divisor) return zero;
  const parts = separated(rest, divisor);
  if (parts) return divide(parts.coarse, divisor / parts.by);
  const [term] = rest.terms;
  const inner = term.atom.division;
  if (rest.terms.length === 1 && term.factor === 1 && rest.constant === 0 && inner?.kind === 'quotient')
    return divide(inner.of, inner.divisor * divisor);
  return division('quotient', rest, divisor);
}

/** expression mod divisor of a non-negative expression. */
export function modulo(expression: IndexExpression, divisor: number): IndexExpression {
  if (divisor === 1) return zero;
  const [, rest] = split(expression, divisor);
  if (rest.least < 0) return division('remainder', expression, divisor);
  if (rest.most < divisor) return rest;
  const parts = separated(rest, divisor);
  if (parts) return add(scale(modulo(parts.coarse, divisor / parts.by), parts.by), parts.fine);
  return division('remainder', rest, divisor);
}

function division(kind: 'quotient' | 'remainder', of: IndexExpression, divisor: number): IndexExpression {
  const extent = kind === 'quotient' ? Math.floor(Math.max(0, of.most) / divisor) + 1 : divisor;
  const key = `(${of.key})${kind === 'quotient' ? '/' : '%'}${divisor}`;
  return new IndexExpression(0, [{ atom: { key, extent, division: { kind, of, divisor } }, factor: 1 }]);
}

/** The row-major position of an index in a shape. */
export function linearize(index: readonly IndexExpression[], shape: Shape): IndexExpression {
  let stride = 1;
  const parts: IndexExpression[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1) parts.push(scale(index[axis], stride));
    stride *= shape[axis];
  }
  return add(...parts);
}

/** The index of a row-major position in a shape. */
export function delinearize(position: IndexExpression, shape: Shape): IndexExpression[] {
  let stride = 1;
  const index = new Array<IndexExpression>(shape.length);
  const size = sizeOf(shape);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const over = divide(position, stride);
    stride *= shape[axis];
    // The outermost axis needs no remainder.
    index[axis] = shape[axis] === 1 ? zero : stride === size && position.most < size ? over : modulo(over, shape[axis]);
  }
  return index;
}
