import type { ProductGroup } from '../compiler/group.ts';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import {
  add,
  delinearize,
  divide,
  literal,
  scale,
  variable,
  type IndexExpression,
} from '../indexing/indexExpression.ts';
import { valueType } from '../wgsl/types.ts';
import { lanes, loadFour, type Operand, type ProductMemory } from './operand.ts';
import type { Product } from './product.ts';
import { productOf } from './productOf.ts';
import { productGrid, type RegisterTile } from './productTile.ts';
import { writeResults } from './writeResults.ts';

/**
 * Writes a product in which every invocation keeps a tile of the result in registers and reads both operands from memory, four
 * elements at a time if they are contiguous. Without barriers, it runs well on software adapters.
 */
export function writeRegisterProduct(
  writer: KernelWriter,
  group: ProductGroup,
  tile: RegisterTile,
  memory: ProductMemory,
): void {
  const product = productOf(group.node);
  const grid = productGrid(product, tile);
  const [batch, ...block] = delinearize(variable('workgroup', grid[0] * grid[1] * grid[2]), grid);
  const shape = [tile.down, tile.across];
  const within = delinearize(variable('local', tile.down * tile.across), shape);
  const counts = [Math.ceil(product.rows / tile.rows), Math.ceil(product.columns / tile.columns)];
  const numbers = block.map((each, axis) => writer.let('p', writer.index(add(scale(each, shape[axis]), within[axis]))));
  writer.block(`if (${numbers.map((number, axis) => `${number} < ${counts[axis]}u`).join(' && ')})`, () => {
    const [rowTile, columnTile] = numbers.map((number, axis) => writer.variable(number, counts[axis]));
    new TileWriter(writer, group, product, tile, memory, batch, rowTile, columnTile).write();
  });
}

class TileWriter {
  readonly #writer: KernelWriter;
  readonly #group: ProductGroup;
  readonly #product: Product;
  readonly #tile: RegisterTile;
  readonly #memory: ProductMemory;
  readonly #batch: IndexExpression;
  /** The first row and the first column. */
  readonly #origin: readonly [IndexExpression, IndexExpression];
  readonly #rows: readonly IndexExpression[];
  readonly #columns: readonly IndexExpression[];
  readonly #type: string;

  constructor(
    writer: KernelWriter,
    group: ProductGroup,
    product: Product,
    tile: RegisterTile,
    memory: ProductMemory,
    batch: IndexExpression,
    rowTile: IndexExpression,
    columnTile: IndexExpression,
  ) {
    this.#writer = writer;
    this.#group = group;
    this.#product = product;
    this.#tile = tile;
    this.#memory = memory;
    this.#batch = batch;
    this.#origin = [scale(rowTile, tile.rows), scale(columnTile, tile.columns)];
    this.#rows = this.#along(this.#origin[0], tile.rows, product.rows);
    this.#columns = this.#along(this.#origin[1], tile.columns, product.columns);
    this.#type = valueType(group.node.outputs[0].dtype);
  }

  /** The indices of a tile along one axis; beyond the edge the last one is repeated, and its result is not stored. */
  #along(origin: IndexExpression, count: number, extent: number): IndexExpression[] {
    return Array.from({ length: count }, (_, i) => {
      const index = add(origin, literal(i));
      if (index.most < extent) return index;
      return this.#writer.variable(`min(${this.#writer.index(index)}, ${extent - 1}u)`, extent);
    });
  }

  get #fours(): number {
    return this.#tile.columns / 4;
  }

  write(): void {
    const { depth, left, right } = this.#product;
    const writer = this.#writer;
    for (const i of this.#rows.keys())
      for (let j = 0; j < this.#fours; j++) writer.line(`var c${i}_${j} = vec4<${this.#type}>();`);
    // Four terms at a time if they are contiguous, else one, which keeps the code short.
    const step = left.vectors || right.vectors ? 4 : 1;
    const whole = Math.floor(depth / step);
    if (whole > 0) {
      writer.loop('q', whole, () => this.#accumulate(scale(variable('q', whole), step), step));
    }
    if (depth % step > 0) this.#accumulate(literal(step * whole), depth % step);
    const [rows, columns] = ([this.#tile.rows, this.#tile.columns] as const).map((count, axis) => ({
      count,
      at: (counter: IndexExpression) => add(this.#origin[axis], counter),
    }));
    writeResults(writer, this.#group, this.#product, this.#batch, rows, columns, this.#memory.store);
  }

  /** Adds the terms depth, depth + 1, … of the sum. */
  #accumulate(depth: IndexExpression, count: number): void {
    const { left: a, right: b } = this.#product;
    // WGSL only has matrices of floats.
    if (count === 4 && this.#type === 'f32' && a.vectors?.direction === 'depth' && b.vectors) {
      this.#accumulateFour(depth, a.vectors, b.vectors);
      return;
    }
    const left = this.#leftElements(depth, count);
    const right = this.#rightVectors(depth, count);
    for (let k = 0; k < count; k++) {
      for (let j = 0; j < this.#fours; j++) {
        const vector = right(k, j);
        for (const i of this.#rows.keys()) this.#writer.line(`c${i}_${j} += ${left(k, i)} * ${vector};`);
      }
    }
  }

  /** Adds four terms with matrix–vector products, which compilers for CPUs keep together. */
  #accumulateFour(
    depth: IndexExpression,
    left: NonNullable<Operand['vectors']>,
    right: NonNullable<Operand['vectors']>,
  ): void {
    const rows = this.#rows.map((row) => this.#four(left, row, depth));
    for (let j = 0; j < this.#fours; j++) {
      const columns = [0, 1, 2, 3].map((k) =>
        right.direction === 'side'
          ? this.#four(right, this.#startOfFour(1, 4 * j), add(depth, literal(k)))
          : this.#four(right, this.#columns[4 * j + k], depth),
      );
      const matrix = this.#writer.let('matrix', `mat4x4<${this.#type}>(${columns.join(', ')})`);
      for (const [i, row] of rows.entries()) {
        const terms = right.direction === 'side' ? `${matrix} * ${row}` : `${row} * ${matrix}`;
        this.#writer.line(`c${i}_${j} += ${terms};`);
      }
    }
  }

  #four(vectors: NonNullable<Operand['vectors']>, side: IndexExpression, depth: IndexExpression): string {
    return loadFour(this.#writer, this.#memory, vectors, [this.#batch, side, depth]);
  }

  /** The left element of a term and a row of the tile. */
  #leftElements(depth: IndexExpression, count: number): (k: number, i: number) => string {
    const { left } = this.#product;
    const at = (k: number): IndexExpression => add(depth, literal(k));
    if (left.vectors?.direction === 'depth' && count === 4) {
      const vectors = this.#rows.map((row) => this.#four(left.vectors!, row, depth));
      return (k, i) => `${vectors[i]}.${lanes[k]}`;
    }
    if (left.vectors?.direction === 'side' && this.#tile.rows % 4 === 0)
      return (k, i) => `${this.#four(left.vectors!, this.#startOfFour(0, i - (i % 4)), at(k))}.${lanes[i % 4]}`;
    return (k, i) => left.element(this.#writer, this.#batch, this.#rows[i], at(k));
  }

  /** The right elements of a term and four columns. */
  #rightVectors(depth: IndexExpression, count: number): (k: number, j: number) => string {
    const { right } = this.#product;
    const at = (k: number): IndexExpression => add(depth, literal(k));
    if (right.vectors?.direction === 'side')
      return (k, j) => this.#four(right.vectors!, this.#startOfFour(1, 4 * j), at(k));
    const element: (k: number, column: number) => string =
      right.vectors?.direction === 'depth' && count === 4
        ? (k, column) => `${this.#four(right.vectors!, this.#columns[column], depth)}.${lanes[k]}`
        : (k, column) => right.element(this.#writer, this.#batch, this.#columns[column], at(k));
    return (k, j) => {
      const elements = lanes.map((_, lane) => element(k, 4 * j + lane));
      return this.#writer.let('four', `vec4<${this.#type}>(${elements.join(', ')})`);
    };
  }

  /** An index of the tile that is a multiple of four, like the axis: it and the next three are either all inside or all outside. */
  #startOfFour(axis: 0 | 1, offset: number): IndexExpression {
    const extent = [this.#product.rows, this.#product.columns][axis];
    const index = add(this.#origin[axis], literal(offset));
    if (index.most < extent) return index;
    const fours = extent / 4;
    return scale(this.#writer.variable(`min(${this.#writer.index(divide(index, 4))}, ${fours - 1}u)`, fours), 4);
  }
}
