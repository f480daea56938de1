import type { Tensor } from '@flow-matching/core';
import type { ProductGroup } from '../compiler/group.ts';
import type { KernelWriter } from '../compiler/kernelWriter.ts';
import type { StoreElement } from '../compiler/mapKernel.ts';
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
import type { Operand } from './operand.ts';
import { productOf, type Product } from './product.ts';
import { productGrid, type ProductTile } from './productTile.ts';

/** What a product's kernel needs of memory besides single elements. */
export interface ProductMemory {
  readonly store: StoreElement;
  /** The expression of four elements of a stored tensor from a position that is a multiple of four, counted in fours. */
  readonly vector: (tensor: Tensor, quarter: string) => string;
}

const lanes = ['x', 'y', 'z', 'w'];

/**
 * Writes a product whose every invocation keeps a tile of the result in registers and reads both operands from memory, four elements at a
 * time where they lie together. There are no barriers, so that it runs well on adapters that are processors.
 */
export function writeProduct(
  writer: KernelWriter,
  group: ProductGroup,
  tile: ProductTile,
  memory: ProductMemory,
): void {
  const product = productOf(group.node);
  const grid = productGrid(product, tile);
  const [batch, ...block] = delinearize(variable('workgroup', grid[0] * grid[1] * grid[2]), grid);
  const local = variable('local', tile.down * tile.across);
  const within = delinearize(local, [tile.down, tile.across]);
  const start = block.map((each, axis) => add(scale(each, [tile.down, tile.across][axis]), within[axis]));
  const extents = [product.rows, product.columns];
  const sizes = [tile.rows, tile.columns];
  const counts = extents.map((extent, axis) => Math.ceil(extent / sizes[axis]));
  const numbers = start.map((each) => writer.let('p', writer.index(each)));
  writer.block(`if (${numbers.map((number, axis) => `${number} < ${counts[axis]}u`).join(' && ')})`, () => {
    const [rowTile, columnTile] = numbers.map((number, axis) => writer.variable(number, counts[axis]));
    new TileWriter(writer, group, product, tile, memory, batch, rowTile, columnTile).write();
  });
}

class TileWriter {
  readonly #writer: KernelWriter;
  readonly #group: ProductGroup;
  readonly #product: Product;
  readonly #tile: ProductTile;
  readonly #memory: ProductMemory;
  readonly #batch: IndexExpression;
  readonly #rows: readonly IndexExpression[];
  readonly #columns: readonly IndexExpression[];
  readonly #origin: readonly [IndexExpression, IndexExpression];
  readonly #type: string;

  constructor(
    writer: KernelWriter,
    group: ProductGroup,
    product: Product,
    tile: ProductTile,
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

  /** The indices of a tile along one axis; beyond the edge the last one again, whose result is not stored. */
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
    const { depth } = this.#product;
    for (const i of this.#rows.keys())
      for (let j = 0; j < this.#fours; j++) this.#writer.line(`var c${i}_${j} = vec4<${this.#type}>();`);
    // Four terms at a time where they lie together; else one, which keeps the code short.
    const step = [this.#product.left, this.#product.right].some(({ vectors }) => vectors) ? 4 : 1;
    const whole = Math.floor(depth / step);
    if (whole > 0) {
      this.#writer.block(`for (var q = 0u; q < ${whole}u; q++)`, () =>
        this.#accumulate(scale(variable('q', whole), step), step),
      );
    }
    if (depth % step > 0) this.#accumulate(literal(step * whole), depth % step);
    this.#finish();
  }

  /** Adds the terms depth, depth + 1, … of the sum. */
  #accumulate(depth: IndexExpression, count: number): void {
    const left = this.#leftElements(depth, count);
    const right = this.#rightVectors(depth, count);
    for (let k = 0; k < count; k++) {
      for (let j = 0; j < this.#fours; j++) {
        const vector = right(k, j);
        for (const i of this.#rows.keys()) this.#writer.line(`c${i}_${j} += ${left(k, i)} * ${vector};`);
      }
    }
  }

  #vector(
    { tensor, position }: NonNullable<Operand['vectors']>,
    side: IndexExpression,
    depth: IndexExpression,
  ): string {
    const quarter = divide(position(this.#batch, side, depth), 4);
    return this.#writer.once(`four ${tensor.node.id} ${quarter.key}`, () => {
      this.#writer.accesses.push({ tensor, position: quarter });
      return this.#writer.let('four', this.#memory.vector(tensor, this.#writer.index(quarter)));
    });
  }

  /** The left element of a term and a row of the tile. */
  #leftElements(depth: IndexExpression, count: number): (k: number, i: number) => string {
    const { left } = this.#product;
    const at = (k: number): IndexExpression => add(depth, literal(k));
    if (left.vectors?.direction === 'depth' && count === 4) {
      const vectors = this.#rows.map((row) => this.#vector(left.vectors!, row, depth));
      return (k, i) => `${vectors[i]}.${lanes[k]}`;
    }
    if (left.vectors?.direction === 'side' && this.#tile.rows % 4 === 0) {
      return (k, i) => `${this.#vector(left.vectors!, this.#four(0, i - (i % 4)), at(k))}.${lanes[i % 4]}`;
    }
    return (k, i) => left.element(this.#writer, this.#batch, this.#rows[i], at(k));
  }

  /** An index of the tile that is a multiple of four; the axis is too, so that it is inside with the three that follow or not at all. */
  #four(axis: 0 | 1, offset: number): IndexExpression {
    const extent = [this.#product.rows, this.#product.columns][axis];
    const index = add(this.#origin[axis], literal(offset));
    if (index.most < extent) return index;
    const fours = extent / 4;
    return scale(this.#writer.variable(`min(${this.#writer.index(divide(index, 4))}, ${fours - 1}u)`, fours), 4);
  }

  /** The right elements of a term and four columns. */
  #rightVectors(depth: IndexExpression, count: number): (k: number, j: number) => string {
    const { right } = this.#product;
    const at = (k: number): IndexExpression => add(depth, literal(k));
    if (right.vectors?.direction === 'side') return (k, j) => this.#vector(right.vectors!, this.#four(1, 4 * j), at(k));
    const element: (k: number, column: number) => string =
      right.vectors?.direction === 'depth' && count === 4
        ? (k, column) => `${this.#vector(right.vectors!, this.#columns[column], depth)}.${lanes[k]}`
        : (k, column) => right.element(this.#writer, this.#batch, this.#columns[column], at(k));
    return (k, j) => {
      const elements = lanes.map((_, lane) => element(k, 4 * j + lane));
      return this.#writer.let('four', `vec4<${this.#type}>(${elements.join(', ')})`);
    };
  }

  /** Stores the tile, or what follows from its elements. */
  #finish(): void {
    const { rows, columns } = this.#tile;
    const writer = this.#writer;
    const sums = [...this.#rows.keys()].flatMap((i) => Array.from({ length: this.#fours }, (_, j) => `c${i}_${j}`));
    writer.line(`var tile = array<vec4<${this.#type}>, ${sums.length}>(${sums.join(', ')});`);
    this.#inside('m', 0, rows, (row, m) => {
      this.#inside('n', 1, columns, (column, n) => {
        const position = this.#product.position(this.#batch, row, column);
        const [result] = this.#group.node.outputs;
        const element = `tile[${m} * ${this.#fours}u + (${n} >> 2u)][${n} & 3u]`;
        for (const tensor of [result, ...this.#group.outputs]) writer.own(tensor, position);
        writer.define(result, position, writer.let('v', element));
        const values = this.#group.outputs.map((output) => writer.valueAt(output, position));
        const place = writer.index(position);
        this.#group.outputs.forEach((output, i) => writer.line(this.#memory.store(output, place, values[i])));
      });
    });
  }

  /** Statements for every index of the tile along an axis that lies inside the result. */
  #inside(name: string, axis: 0 | 1, count: number, body: (index: IndexExpression, name: string) => void): void {
    const extent = [this.#product.rows, this.#product.columns][axis];
    const origin = this.#origin[axis];
    const counter = variable(name, count);
    this.#writer.block(`for (var ${name} = 0u; ${name} < ${count}u; ${name}++)`, () => {
      const index = add(origin, counter);
      if (index.most < extent) return body(index, name);
      const assumed = this.#writer.assumed(index, extent);
      const number = extent === 1 ? this.#writer.index(index) : this.#writer.index(assumed);
      this.#writer.block(`if (${number} < ${extent}u)`, () => body(assumed, name));
    });
  }
}
