import type { DType, Node, Tensor } from '@flow-matching/tensor';
import { add, scale, variable, type IndexExpression } from '../indexing/indexExpression.ts';
import { reducedCount, reducedIndex, reducers } from '../lowering/reduction.ts';
import { valueType } from '../wgsl/types.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { columnsOf, type MapGroup } from './group.ts';
import type { KernelWriter } from './kernelWriter.ts';

/** How the rows of a group are distributed over invocations. */
export interface MapLayout {
  /** `invocation`: each invocation computes a row. `workgroup`: the invocations of a workgroup compute a row together. */
  readonly unit: 'invocation' | 'workgroup';
  readonly workgroupSize: number;
  readonly workgroups: number;
}

/** The longest row that one invocation computes alone if others could help. */
const longestAlone = 32;

export function mapLayout(group: MapGroup, { software }: AdapterProfile): MapLayout {
  const { rows } = group;
  const longest = Math.max(
    1,
    ...group.stages.map(reducedCount),
    ...group.outputs.map((output) => columnsOf(group, output)),
  );
  // Rows with strided memory access are read best in parallel, and barriers are slow on a CPU.
  const across = group.stages.length > 0 && group.stages.every(readsAcross);
  const alone = longest <= longestAlone || rows >= (software ? 64 : across ? 2048 : 65536);
  if (alone) return { unit: 'invocation', workgroupSize: 64, workgroups: Math.ceil(rows / 64) };
  return { unit: 'workgroup', workgroupSize: longest > 128 ? 256 : 64, workgroups: rows };
}

/** Whether adjacent rows of a reduction are adjacent in memory too. */
const readsAcross = (node: Node): boolean => {
  const { rank } = node.inputs[0];
  return !(node.attributes as unknown as { axes: readonly number[] }).axes.includes(rank - 1);
};

/** What a kernel does with its results. */
export type StoreElement = (tensor: Tensor, position: string, value: string) => string;

/** Writes the statements that compute a group, inside a function with the variables `workgroup`, its number within the group, and `local`. */
export function writeMap(
  writer: KernelWriter,
  group: MapGroup,
  layout: MapLayout,
  { subgroups }: AdapterProfile,
  store: StoreElement,
): void {
  const { rows } = group;
  if (layout.unit === 'workgroup') {
    writeRow(writer, group, writer.variable('workgroup', rows), new SharedRow(layout.workgroupSize, subgroups), store);
    return;
  }
  const row = writer.variable(`workgroup * ${layout.workgroupSize}u + local`, rows);
  const number = rows === 1 ? 'local' : writer.index(row);
  writer.block(`if (${number} < ${rows}u)`, () => writeRow(writer, group, row, new OwnRow(), store));
}

/** How the elements of a row are iterated. */
interface RowWalk {
  /** Statements for every element of a row that this invocation handles. */
  each(writer: KernelWriter, count: number, body: (column: IndexExpression) => void): void;
  /** Combines the partial reductions of all invocations. */
  join(writer: KernelWriter, node: Node, share: string): string;
  /** Statements executed once per row. */
  single(writer: KernelWriter, body: () => void): void;
}

class OwnRow implements RowWalk {
  each(writer: KernelWriter, count: number, body: (column: IndexExpression) => void): void {
    const column = variable(`k${count}`, count);
    if (count === 1) return body(column);
    const name = `k${count}`;
    writer.block(`for (var ${name} = 0u; ${name} < ${count}u; ${name}++)`, () => body(column));
  }

  join(_: KernelWriter, __: Node, share: string): string {
    return share;
  }

  single(_: KernelWriter, body: () => void): void {
    body();
  }
}

class SharedRow implements RowWalk {
  readonly #size: number;
  readonly #subgroups: boolean;

  constructor(size: number, subgroups: boolean) {
    this.#size = size;
    this.#subgroups = subgroups;
  }

  each(writer: KernelWriter, count: number, body: (column: IndexExpression) => void): void {
    const name = `k${count}`;
    writer.block(`for (var ${name} = local; ${name} < ${count}u; ${name} += ${this.#size}u)`, () =>
      body(variable(name, count)),
    );
  }

  join(writer: KernelWriter, node: Node, share: string): string {
    const { dtype } = node.outputs[0];
    return writer.let('v', joined(writer, node.operator.name, dtype, this.#size, this.#subgroups, share));
  }

  single(writer: KernelWriter, body: () => void): void {
    writer.block('if (local == 0u)', body);
  }
}

function writeRow(
  writer: KernelWriter,
  group: MapGroup,
  row: IndexExpression,
  walk: RowWalk,
  store: StoreElement,
): void {
  for (const output of group.outputs) {
    const columns = columnsOf(group, output);
    writer.own(output, add(scale(row, columns), variable(`k${columns}`, columns)));
  }
  for (const node of group.stages) writer.own(node.outputs[0], row);
  for (const node of group.stages) {
    const [result] = node.outputs;
    const { initial, combine } = reducers[node.operator.name];
    const share = writer.declare(result.dtype, initial(writer, result.dtype));
    const count = reducedCount(node);
    if (count > 0)
      walk.each(writer, count, (column) => {
        const element = writer.value(node.inputs[0], reducedIndex(node, row, column));
        writer.line(`${share} = ${combine(share, element)};`);
      });
    writer.define(result, row, walk.join(writer, node, share));
  }
  const widths = new Map<number, Tensor[]>();
  for (const output of group.outputs) {
    const columns = columnsOf(group, output);
    widths.set(columns, [...(widths.get(columns) ?? []), output]);
  }
  for (const [columns, outputs] of widths) {
    const write = (column: IndexExpression): void => {
      const position = add(scale(row, columns), column);
      const values = outputs.map((output) => writer.valueAt(output, position));
      outputs.forEach((output, i) => writer.line(store(output, writer.index(position), values[i])));
    };
    if (columns === 1) walk.single(writer, () => write(variable('', 1)));
    else walk.each(writer, columns, write);
  }
}

/** Combines the partial results of a workgroup's invocations with a function added to the kernel. */
function joined(
  writer: KernelWriter,
  operator: string,
  dtype: DType,
  size: number,
  subgroups: boolean,
  share: string,
): string {
  const { combine, subgroup } = reducers[operator];
  const type = valueType(dtype);
  const shared = `shared_${type}`;
  const name = `join${operator}_${type}`;
  writer.declarations.set(shared, `var<workgroup> ${shared}: array<${type}, ${size}>;`);
  if (subgroups) {
    writer.declarations.set(
      name,
      `fn ${name}(share: ${type}, subgroup: u32, subgroups: u32) -> ${type} {
  let part = ${subgroup}(share);
  if (subgroupElect()) { ${shared}[subgroup] = part; }
  workgroupBarrier();
  var whole = ${shared}[0];
  for (var i = 1u; i < subgroups; i++) { whole = ${combine('whole', `${shared}[i]`)}; }
  workgroupBarrier();
  return whole;
}`,
    );
    return `${name}(${share}, subgroup, subgroups)`;
  }
  writer.declarations.set(
    name,
    `fn ${name}(share: ${type}, local: u32) -> ${type} {
  ${shared}[local] = share;
  workgroupBarrier();
  for (var reach = ${size / 2}u; reach > 0u; reach >>= 1u) {
    if (local < reach) { ${shared}[local] = ${combine(`${shared}[local]`, `${shared}[local + reach]`)}; }
    workgroupBarrier();
  }
  let whole = ${shared}[0];
  workgroupBarrier();
  return whole;
}`,
  );
  return `${name}(${share}, local)`;
}
