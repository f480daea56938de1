import { createReferenceBackend, dtypes, type DType, type Manifest } from '@flow-matching/tensor';
import type { EngineKind } from '../engines/engine.ts';
import { convolution } from './convolution.ts';
import { byDefinition } from './byDefinition.ts';
import { elementwise } from './elementwise.ts';
import { indexing } from './indexing.ts';
import { logic } from './logic.ts';
import type { Lower, Lowering } from './lowering.ts';
import { products } from './matmul.ts';
import { movement } from './movement.ts';
import { reductions } from './reduction.ts';

/** The operators that kernels compute, on an engine whose kernels are all correct. RandomBits is not among them: draws are hoisted to the host. */
const table: readonly Lowering[] = [
  ...elementwise,
  ...logic,
  ...movement,
  ...reductions,
  ...products,
  ...indexing,
  ...convolution,
];

const definitions = createReferenceBackend().manifest;

/** How an engine runs an operator, by dtype. */
export type EngineTable = ReadonlyMap<string, Readonly<Partial<Record<DType, Lower>>>>;

/** The operators of an engine: those with kernels and, for an engine on the host, all others by their definition. */
export function tableOf({ unfit, onHost }: EngineKind): EngineTable {
  return new Map(
    table.flatMap(({ name, dtypes, lower }) => {
      const served = dtypes.filter((dtype) => !unfit[name]?.dtypes.includes(dtype));
      const defined = onHost ? definitions.get(name)! : [];
      const entries = [
        ...defined.map((dtype) => [dtype, byDefinition] as const),
        ...served.map((dtype) => [dtype, lower] as const),
      ];
      return entries.length > 0 ? [[name, Object.fromEntries(entries)] as const] : [];
    }),
  );
}

export const manifestOf = (operators: EngineTable): Manifest =>
  new Map([...operators].map(([name, lowers]) => [name, Object.keys(lowers) as DType[]]));

/** A readable list of the operators without a kernel on an engine. */
export function describeFallbacks(kind: EngineKind): string {
  const operators = tableOf(kind);
  const defined = dtypes.flatMap((dtype) => {
    const names = [...operators].filter(([, lowers]) => lowers[dtype] === byDefinition).map(([name]) => name);
    const whole = [...operators.values()].every((lowers) => !lowers[dtype] || lowers[dtype] === byDefinition);
    return names.length === 0 ? [] : [`${dtype} ${whole ? 'as a whole' : names.toSorted().join(', ')}`];
  });
  const made = table.flatMap(({ name, via }) => (via === undefined ? [] : [`${name} of ${via}`]));
  const decomposed = Object.entries(kind.decomposed).map(([name, reason]) => `${name} (${reason})`);
  return [
    `decomposed: ${[...made, ...decomposed].join(', ')}`,
    ...(defined.length > 0 ? [`in JavaScript, slowly: ${defined.join('; ')}`] : []),
    ...(kind.caveat === undefined ? [] : [kind.caveat]),
    ...(kind.onHost ? [] : [`not declared: ${['f16, f64', ...undeclared(operators)].join('; ')}`]),
  ].join('. ');
}

/** Operators of the reference that an engine lacks for a dtype it supports. */
function undeclared(operators: EngineTable): string[] {
  return dtypes
    .filter((dtype) => dtype !== 'f16' && dtype !== 'f64')
    .flatMap((dtype) => {
      const names = table.filter(({ name }) => definitions.get(name)!.includes(dtype) && !operators.get(name)?.[dtype]);
      return names.length === 0 ? [] : [`${dtype} ${names.map(({ name }) => name).join(', ')}`];
    });
}
