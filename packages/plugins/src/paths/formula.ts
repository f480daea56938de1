import {
  abs,
  add,
  cos,
  div,
  erf,
  exp,
  expm1,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  OptionError,
  pow,
  shorten,
  sigmoid,
  sin,
  sqrt,
  sub,
  tanh,
  type Tensor,
  type TensorLike,
} from '@flow-matching/tensor';
import jsep from 'jsep';

type Expression = jsep.CoreExpression & { readonly index?: number };

/** Missing from jsep's typings: the parser is a class that can be extended. */
interface Parser {
  readonly expr: string;
  index: number;
  parse(): jsep.Expression;
  gobbleSpaces(): void;
  gobbleToken(): jsep.Expression | false | undefined;
  throwError(message: string): never;
}
const { Jsep } = jsep as unknown as { Jsep: new (text: string) => Parser };

/**
 * jsep's parser with powers as in mathematics: `^` (or `**`) binds tighter than a sign, −t^2 = −(t²), and is right-associative.
 * Tokens record where they begin.
 */
class FormulaParser extends Jsep {
  override gobbleToken(): jsep.Expression | false | undefined {
    this.gobbleSpaces();
    const index = this.index;
    const sign = this.expr[index];
    if (sign === '-' || sign === '+') {
      this.index++;
      return { type: 'UnaryExpression', operator: sign, argument: this.#operand(sign), prefix: true, index };
    }
    const base = super.gobbleToken();
    if (!base) return base;
    base['index'] ??= index;
    this.gobbleSpaces();
    const operator = ['**', '^'].find((symbol) => this.expr.startsWith(symbol, this.index));
    if (!operator) return base;
    this.index += operator.length;
    return { type: 'BinaryExpression', operator: '^', left: base, right: this.#operand(operator), index };
  }

  #operand(operator: string): jsep.Expression {
    return this.gobbleToken() || this.throwError(`Nothing follows '${operator}'`);
  }
}

const functions: Readonly<Record<string, (...values: TensorLike[]) => Tensor>> = {
  sin,
  cos,
  tan: (x) => div(sin(x), cos(x)),
  tanh,
  exp,
  expm1,
  log,
  log1p,
  sqrt,
  abs,
  erf,
  sigmoid,
  min: minimum,
  max: maximum,
  pow,
};
const arity = (name: string): number => (['min', 'max', 'pow'].includes(name) ? 2 : 1);

const binaryOperators: Readonly<Record<string, (a: TensorLike, b: TensorLike) => Tensor>> = {
  '+': add,
  '-': sub,
  '*': mul,
  '/': div,
  // A square is a product: exact, unlike pow, and finite for any sign.
  '^': (a, b) => (b === 2 ? mul(a, a) : pow(a, b)),
};

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** Limits on operators, parentheses and commas of a formula, and on nesting: the parser recurses over them. */
const mostOperators = 1000;
const deepestBrackets = 100;

/** The limit that a formula exceeds, and where. */
function sizeProblem(text: string): { problem: string; index: number; expected: string } | undefined {
  let [operators, depth] = [0, 0];
  for (const { 0: symbol, index } of text.matchAll(/[^\w\s.]/g)) {
    if (++operators > mostOperators)
      return {
        problem: `it has more than ${mostOperators} operators`,
        index,
        expected: `at most ${mostOperators} operators, brackets and commas`,
      };
    if ('([{'.includes(symbol)) depth++;
    if (')]}'.includes(symbol)) depth--;
    if (depth > deepestBrackets)
      return { problem: 'its brackets are nested too deeply', index, expected: `at most ${deepestBrackets} levels` };
  }
  return undefined;
}

/** A parsed formula: a function of the values of its names. */
export type Formula = (values: Readonly<Record<string, TensorLike>>) => TensorLike;

/**
 * Parses an arithmetic expression: numbers, `names`, + − * / ^, parentheses, and the functions sin, cos, tan, tanh, exp, expm1,
 * log, log1p, sqrt, abs, erf, sigmoid, min, max and pow; `pi` and `e` are known. Nothing is evaluated as code.
 *
 * @param owner of the expression, for messages
 * @throws OptionError with the position of a syntax error, or if there are more than 1000 operators or 100 levels of
 *   parentheses.
 */
export function parseFormula(text: string, names: readonly string[], owner: string): Formula {
  const known = [...names, ...Object.keys(constants)];
  const refuse = (problem: string, index: number, expected?: string): never => {
    throw new OptionError(
      `${owner} cannot be read: ${problem}, at character ${index + 1}.\n${pointAt(text, index)}\n`,
      {
        actual: text,
        ...(expected && { expected }),
      },
    );
  };

  /** A checked expression as a function of the names' values. `from` is its start, as far as it is known. */
  const build = (node: Expression, from: number): Formula => {
    const index = node.index ?? from;
    switch (node.type) {
      case 'Literal': {
        const { value } = node;
        return typeof value === 'number' ? () => value : refuse(`${shorten(node.raw)} is not a number`, index);
      }
      case 'Identifier': {
        const { name } = node;
        if (!known.includes(name)) {
          const called = Object.hasOwn(functions, name)
            ? `the function '${name}' has no argument`
            : `there is no '${shorten(name)}'`;
          refuse(called, index, `names among ${known.join(', ')}`);
        }
        return (values) => values[name] ?? constants[name];
      }
      case 'UnaryExpression': {
        const argument = build(node.argument as Expression, index + 1);
        if (node.operator === '+') return argument;
        if (node.operator !== '-')
          refuse(`there is no operator '${node.operator}'`, index, 'operators among + - * / ^');
        return (values) => negated(argument(values));
      }
      case 'BinaryExpression': {
        const operate = binaryOperators[node.operator];
        if (!operate)
          refuse(
            `there is no operator '${node.operator}'`,
            text.indexOf(node.operator, index),
            'operators among + - * / ^',
          );
        const [left, right] = [build(node.left as Expression, index), build(node.right as Expression, index)];
        return (values) => operate(left(values), right(values));
      }
      case 'CallExpression':
        return call(node, index);
      case 'Compound':
        return node.body.length === 0
          ? refuse('it is empty', 0, 'an expression')
          : refuse('it does not end here', (node.body[1] as Expression).index ?? index, 'one expression');
      default:
        return refuse(`a ${node.type} is not arithmetic`, index, 'numbers, names, + - * / ^, brackets and functions');
    }
  };

  const call = (node: jsep.CallExpression, index: number): Formula => {
    const callee = node.callee as Expression;
    const name = callee.type === 'Identifier' ? callee.name : '';
    if (known.includes(name)) refuse(`'${name}' is no function`, index, `'${name} * (…)' for a product`);
    const compute = Object.hasOwn(functions, name)
      ? functions[name]
      : refuse(
          `there is no function '${shorten(name)}'`,
          index,
          `functions among ${Object.keys(functions).join(', ')}`,
        );
    if (node.arguments.length !== arity(name)) {
      refuse(`'${name}' has ${node.arguments.length} arguments`, index, `${arity(name)}`);
    }
    const given = node.arguments.map((argument) => build(argument as Expression, index));
    return (values) => compute(...given.map((argument) => argument(values)));
  };

  const large = sizeProblem(text);
  if (large) refuse(large.problem, large.index, large.expected);
  let tree: jsep.Expression;
  try {
    tree = new FormulaParser(text).parse();
  } catch (error) {
    const { description, index } = error as { description?: string; index?: number };
    if (description === undefined || index === undefined) throw error;
    return refuse(shorten(description), index);
  }
  return build(tree as Expression, 0);
}

/** The line around a position in a text, shortened if needed, with a mark below. */
function pointAt(text: string, index: number): string {
  const from = Math.max(0, index - 60);
  const shown = text.slice(from, index + 60).replace(/\s/g, ' ');
  return `    ${shown}\n    ${' '.repeat(index - from)}^`;
}

const negated = (value: TensorLike): TensorLike => (typeof value === 'number' ? -value : neg(value));
