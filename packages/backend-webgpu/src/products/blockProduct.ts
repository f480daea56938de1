import type { ProductGroup } from '../compiler/group.ts';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import {
  add,
  delinearize,
  divide,
  literal,
  modulo,
  scale,
  variable,
  type IndexExpression,
} from '../indexing/indexExpression.ts';
import { valueType } from '../wgsl/types.ts';
import { lanes, loadFour, type Operand, type ProductMemory } from './operand.ts';
import type { Product } from './product.ts';
import { productOf } from './productOf.ts';
import { blockDepth, productGrid, type BlockTile } from './productTile.ts';
import { writeResults } from './writeResults.ts';

/**
 * Writes a product whose workgroups load blocks of both operands into workgroup memory, from which each invocation reads the
 * elements for its tile of the result: every element is read from memory once per block of results. For GPUs.
 */
export function writeBlockProduct(
  writer: KernelWriter,
  group: ProductGroup,
  tile: BlockTile,
  memory: ProductMemory,
): void {
  new BlockWriter(writer, group, tile, memory).write();
}

/** One side of a workgroup's block: the left operand's rows or the right operand's columns. */
interface Side {
  readonly name: 'left' | 'right';
  readonly operand: Operand;
  /** The first row or column of the block. */
  readonly start: IndexExpression;
  /** Rows or columns of the block, and in total. */
  readonly block: number;
  readonly extent: number;
}

class BlockWriter {
  readonly #writer: KernelWriter;
  readonly #group: ProductGroup;
  readonly #tile: BlockTile;
  readonly #memory: ProductMemory;
  readonly #product: Product;
  readonly #batch: IndexExpression;
  readonly #sides: readonly [Side, Side];
  readonly #type: string;

  constructor(writer: KernelWriter, group: ProductGroup, tile: BlockTile, memory: ProductMemory) {
    this.#writer = writer;
    this.#group = group;
    this.#tile = tile;
    this.#memory = memory;
    this.#product = productOf(group.node);
    this.#type = valueType(group.node.outputs[0].dtype);
    const { left, right, rows, columns } = this.#product;
    const grid = productGrid(this.#product, tile);
    const [batch, row, column] = delinearize(variable('workgroup', grid[0] * grid[1] * grid[2]), grid);
    this.#batch = batch;
    this.#sides = [
      { name: 'left', operand: left, start: scale(row, tile.blockRows), block: tile.blockRows, extent: rows },
      {
        name: 'right',
        operand: right,
        start: scale(column, tile.blockColumns),
        block: tile.blockColumns,
        extent: columns,
      },
    ];
  }

  write(): void {
    const { rows, columns, blockRows, blockColumns } = this.#tile;
    const writer = this.#writer;
    for (const { name, block } of this.#sides)
      writer.declarations.set(name, `var<workgroup> ${name}: array<vec4<${this.#type}>, ${(block * blockDepth) / 4}>;`);
    const across = blockColumns / columns;
    const [down, along] = delinearize(variable('local', (blockRows / rows) * across), [blockRows / rows, across]);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns / 4; j++) writer.line(`var c${i}_${j} = vec4<${this.#type}>();`);
    const blocks = Math.ceil(this.#product.depth / blockDepth);
    writer.block(`for (var block = 0u; block < ${blocks}u; block++)`, () => {
      for (const side of this.#sides) this.#bring(side, scale(variable('block', blocks), blockDepth));
      writer.line('workgroupBarrier();');
      this.#multiply(down, along);
      writer.line('workgroupBarrier();');
    });
    const [left, right] = this.#sides;
    writeResults(
      writer,
      this.#group,
      this.#product,
      this.#batch,
      { count: rows, at: (m) => add(left.start, scale(down, rows), m) },
      { count: columns, at: (n) => add(right.start, this.#column(along, divide(n, 4)), modulo(n, 4)) },
      this.#memory.store,
    );
  }

  /** The first of an invocation's nth four columns: adjacent invocations have adjacent fours, so that they write contiguously. */
  #column(along: IndexExpression, nth: IndexExpression): IndexExpression {
    const { columns, blockColumns } = this.#tile;
    return add(scale(nth, (blockColumns * 4) / columns), scale(along, 4));
  }

  /** Copies a block of an operand: every invocation copies squares of 4 × 4 elements in turn. */
  #bring(side: Side, depth: IndexExpression): void {
    const { name, operand, block } = side;
    const writer = this.#writer;
    const { rows, columns, blockRows, blockColumns } = this.#tile;
    const invocations = (blockRows / rows) * (blockColumns / columns);
    const [sides, depths] = [block / 4, blockDepth / 4];
    const squares = sides * depths;
    const counter = `${name}Square`;
    const header = `for (var ${counter} = local; ${counter} < ${squares}u; ${counter} += ${invocations}u)`;
    writer.block(header, () => {
      // Adjacent invocations read adjacent elements.
      const shape = operand.vectors?.direction === 'depth' ? [sides, depths] : [depths, sides];
      const parts = delinearize(variable(counter, squares), shape);
      const [sideFour, depthFour] = operand.vectors?.direction === 'depth' ? parts : parts.toReversed();
      const square = this.#square(side, scale(sideFour, 4), add(depth, scale(depthFour, 4)));
      square.forEach((four, k) => {
        const at = add(scale(add(scale(depthFour, 4), literal(k)), sides), sideFour);
        writer.line(`${name}[${writer.index(at)}] = ${four};`);
      });
    });
  }

  /** Four vectors along a side for four terms. Elements beyond the depth are 0; beyond the side they are arbitrary. */
  #square({ operand, start, extent }: Side, offset: IndexExpression, depth: IndexExpression): string[] {
    const writer = this.#writer;
    const batch = this.#batch;
    const total = this.#product.depth;
    const zeros = `vec4<${this.#type}>()`;
    const first = add(start, offset);
    const four = [0, 1, 2, 3];
    const inDepth = depth.most + 3 < total;
    if (operand.vectors?.direction === 'depth') {
      // Each four along the depth lies completely inside or outside.
      const at = this.#clamped(depth, total, 4);
      const vectors = four.map((i) => {
        const vector = loadFour(writer, this.#memory, operand.vectors!, [
          batch,
          this.#clamped(add(first, literal(i)), extent, 1),
          at,
        ]);
        return inDepth ? vector : writer.let('four', `select(${zeros}, ${vector}, ${writer.index(depth)} < ${total}u)`);
      });
      return lanes.map((lane) => `vec4<${this.#type}>(${vectors.map((vector) => `${vector}.${lane}`).join(', ')})`);
    }
    return four.map((k) => {
      const own = add(depth, literal(k));
      const at = this.#clamped(own, total, 1);
      const vector =
        operand.vectors?.direction === 'side'
          ? loadFour(writer, this.#memory, operand.vectors, [batch, this.#clamped(first, extent, 4), at])
          : `vec4<${this.#type}>(${four
              .map((i) => operand.element(writer, batch, this.#clamped(add(first, literal(i)), extent, 1), at))
              .join(', ')})`;
      return inDepth ? vector : `select(${zeros}, ${vector}, ${writer.index(own)} < ${total}u)`;
    });
  }

  /** An index clamped to the inside: itself, or the last multiple of `step` if it would be beyond. */
  #clamped(index: IndexExpression, extent: number, step: number): IndexExpression {
    if (index.most + step - 1 < extent) return index;
    const counted = divide(index, step);
    return scale(
      this.#writer.variable(`min(${this.#writer.index(counted)}, ${extent / step - 1}u)`, extent / step),
      step,
    );
  }

  #multiply(down: IndexExpression, along: IndexExpression): void {
    const writer = this.#writer;
    const { rows, columns, blockRows, blockColumns } = this.#tile;
    writer.block(`for (var k = 0u; k < ${blockDepth}u; k++)`, () => {
      const k = variable('k', blockDepth);
      const take = (name: string, block: number, fours: IndexExpression): string =>
        writer.let('four', `${name}[${writer.index(add(scale(k, block / 4), fours))}]`);
      const left = Array.from({ length: rows / 4 }, (_, i) =>
        take('left', blockRows, add(scale(down, rows / 4), literal(i))),
      );
      for (let j = 0; j < columns / 4; j++) {
        const right = take('right', blockColumns, divide(this.#column(along, literal(j)), 4));
        for (let i = 0; i < rows; i++)
          writer.line(`c${i}_${j} += ${left[Math.floor(i / 4)]}.${lanes[i % 4]} * ${right};`);
      }
    });
  }
}
