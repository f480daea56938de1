import {
  createContainer,
  DataError,
  FILES,
  OptionError,
  PluginError,
  PluginRegistry,
  type Batch,
  type Dataset,
  type HostArray,
} from '@flow-matching/core';
import { expect } from 'chai';
import { builtinPlugins, checkerboard, points } from '../src/index.ts';

const draw = async (
  data: Dataset,
  index: number,
  size: number,
  seed = 0,
  split?: 'train' | 'test',
): Promise<HostArray> => (await data.batch({ index, size, seed, ...(split && { split }) })).x1;
const rowsOf = ({ data, shape: [count] }: HostArray): string[] =>
  Array.from({ length: count }, (_, i) =>
    Array.from(data.slice((i * data.length) / count, ((i + 1) * data.length) / count)).join(),
  );

describe('checkerboard', () => {
  it('fills its eight squares evenly and nothing else', async () => {
    const count = 64_000;
    const x = await draw(checkerboard(), 0, count);
    expect(x.shape).to.deep.equal([count, 2]);
    const cells = new Map<string, number>();
    const within: number[] = [0, 0, 0, 0];
    for (let n = 0; n < count; n++) {
      const [column, row] = [0, 1].map((axis) => (x.data[2 * n + axis] + 4) / 2);
      const cell = `${Math.floor(column)},${Math.floor(row)}`;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
      within[2 * Math.floor(2 * (column % 1)) + Math.floor(2 * (row % 1))]++;
    }
    expect([...cells.keys()].toSorted()).to.deep.equal(['0,0', '0,2', '1,1', '1,3', '2,0', '2,2', '3,1', '3,3']);
    // Five standard deviations of a multinomial count.
    for (const [cell, seen] of cells) expect(Math.abs(seen - count / 8), cell).below(5 * Math.sqrt((count * 7) / 64));
    for (const seen of within)
      expect(Math.abs(seen - count / 4), 'quarters of a square').below(5 * Math.sqrt((count * 3) / 16));
  });

  it('is a pure function of seed, split and position', async () => {
    const data = checkerboard();
    const whole = rowsOf(await draw(data, 0, 30, 7));
    for (const size of [1, 5, 6, 15]) {
      const parts: string[] = [];
      for (let index = 30 / size - 1; index >= 0; index--) parts.unshift(...rowsOf(await draw(data, index, size, 7)));
      expect(parts, `batches of ${size}`).to.deep.equal(whole);
    }
    expect(new Set(whole).size).to.equal(30);
    const others = [
      rowsOf(await draw(data, 0, 30, 8)),
      rowsOf(await draw(data, 0, 30, 7, 'test')),
      rowsOf(await draw(data, 1, 30, 7)),
      rowsOf(await draw(data, 2 ** 32, 30, 7)),
    ];
    for (const other of others) expect(other.some((row) => whole.includes(row))).to.equal(false);
  });

  it('knows its density', async () => {
    const { density } = checkerboard();
    expect(density?.entropy).to.equal(Math.log(32));
    const own = await draw(checkerboard(), 3, 5000);
    expect(density?.logDensity(own).every((value) => value === -Math.log(32))).to.equal(true);
    const logDensity = (...flat: number[]): number[] => [
      ...density!.logDensity({ data: Float32Array.from(flat), shape: [flat.length / 2, 2], dtype: 'f32' }),
    ];
    const inside = [-4, -4, -3, 1, 1, 1, 3, 3, -1, 3, 1, -3];
    expect(logDensity(...inside)).to.deep.equal(Array.from({ length: 6 }, () => -Math.log(32)));
    const outside = [-3, -0.5, 1, -0.5, -1, 1, 4, 3.5, 3, 4.1, -4.1, -3, NaN, 0];
    expect(logDensity(...outside)).to.deep.equal(Array.from({ length: 7 }, () => -Infinity));
  });
});

/** The registry of a program that can read these files. */
function registryWith(files: Record<string, Uint8Array | string>): PluginRegistry {
  const container = createContainer(builtinPlugins);
  container.bind(FILES).toConstantValue({
    read: async (path: string) => {
      const content = files[path];
      if (content === undefined) throw new DataError(`There is no ${path}.`);
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
  });
  return new PluginRegistry(container);
}

async function load(content: Uint8Array | string, options: object & { file?: string } = {}): Promise<Dataset> {
  const { file = 'data.csv' } = options;
  return registryWith({ [file]: content }).build('dataset', { name: 'points', ...options, file });
}

async function errorOf(action: () => unknown): Promise<Error> {
  try {
    await action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

async function expectDataError(
  content: Uint8Array | string,
  message: RegExp,
  options: object & { file?: string } = {},
): Promise<void> {
  const error = await errorOf(() => load(content, options));
  expect(error, String(error)).instanceOf(DataError);
  expect(error.message).to.match(message);
}

interface NpyParts {
  readonly descr?: string;
  readonly order?: 'True' | 'False';
  readonly shape?: string;
  readonly version?: number;
  readonly data: { readonly buffer: ArrayBufferLike };
  readonly cut?: number;
}

/** A .npy file, as numpy.lib.format describes it. */
function npy({ descr = '<f4', order = 'False', shape = '(2, 2)', version = 1, data, cut = 0 }: NpyParts): Uint8Array {
  const lead = version === 1 ? 10 : 12;
  const text = `{'descr': ${descr.startsWith('[') ? descr : `'${descr}'`}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const header = text.padEnd(Math.ceil((lead + text.length + 1) / 64) * 64 - lead - 1) + '\n';
  const length =
    version === 1 ? [header.length % 256, header.length >> 8] : [header.length % 256, header.length >> 8, 0, 0];
  const head = [0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...new TextEncoder().encode(header)];
  const bytes = Uint8Array.from([...head, ...new Uint8Array(data.buffer)]);
  return bytes.slice(0, bytes.length - cut);
}

const square = Float32Array.of(1, 2, 3, 4.5);

const sortedRows = async (content: Uint8Array | string, options = {}): Promise<string[]> => {
  const data = await load(content, options);
  return rowsOf(await draw(data, 0, data.size ?? 0)).toSorted();
};

describe('points', () => {
  const many = Array.from({ length: 23 }, (_, i) => [i, i / 2]);

  it('visits each point once an epoch, in a new order each time', async () => {
    const data = await points({ data: many });
    expect([data.size, data.shape]).to.deep.equal([23, [2]]);
    const epochs = [0, 1, 2].map(async (index) => rowsOf(await draw(data, index, 23)));
    const [first, second, third] = await Promise.all(epochs);
    const sorted = many.map((row) => row.join()).toSorted();
    for (const epoch of [first, second, third]) expect(epoch.toSorted()).to.deep.equal(sorted);
    expect(new Set([first, second, third].map((epoch) => epoch.join(' '))).size).to.equal(3);
  });

  it('is a pure function of seed and position, across epochs too', async () => {
    const data = await points({ data: many });
    const whole = rowsOf(await draw(data, 0, 60, 5));
    for (const index of [5, 0, 3, 1, 4, 2]) {
      const expected = whole.slice(10 * index, 10 * index + 10);
      expect(rowsOf(await draw(data, index, 10, 5)), `batch ${index}`).to.deep.equal(expected);
      expect(
        rowsOf(await draw(await points({ data: many }), index, 10, 5)),
        `batch ${index} after a restart`,
      ).to.deep.equal(expected);
    }
    expect(rowsOf(await draw(data, 0, 60, 6))).to.not.deep.equal(whole);
  });

  it('keeps held-out points from training, whatever the training seed', async () => {
    const data = await points({ data: many, heldOut: 0.3 });
    expect(data.size).to.equal(16);
    const test = rowsOf(await draw(data, 0, 7, 1, 'test'));
    expect(new Set(test).size).to.equal(7);
    for (const seed of [0, 1, 2]) {
      const train = rowsOf(await draw(data, 0, 16, seed));
      expect(train.filter((row) => test.includes(row))).to.deep.equal([]);
      expect(new Set([...train, ...test]).size).to.equal(23);
    }
    const other = rowsOf(await draw(await points({ data: many, heldOut: 0.3, splitSeed: 1 }), 0, 7, 1, 'test'));
    expect(other.toSorted()).to.not.deep.equal(test.toSorted());
  });

  it('says so where nothing is held out, or nothing is left', async () => {
    const none = await errorOf(async () => draw(await points({ data: many }), 0, 3, 0, 'test'));
    expect(none).instanceOf(OptionError);
    expect(none.message).to.contain('heldOut');
    const all = await errorOf(() => points({ data: [[1], [2]], heldOut: 0.9 }));
    expect(all).instanceOf(DataError);
  });

  it('reads arrays of any rank and dtype from memory', async () => {
    const images = await points({
      data: { data: Int32Array.from({ length: 24 }, (_, i) => i), shape: [3, 2, 4], dtype: 'i32' },
    });
    expect([images.size, images.shape]).to.deep.equal([3, [2, 4]]);
    const batch: Batch = await images.batch({ index: 0, size: 5, seed: 0 });
    expect([batch.x1.shape, batch.x1.dtype]).to.deep.equal([[5, 2, 4], 'f32']);
    const line = await points({ data: { data: Float32Array.of(1, 2, 3), shape: [3], dtype: 'f32' } });
    expect([line.size, line.shape]).to.deep.equal([3, [1]]);
  });

  it('refuses data in memory that cannot be trained on', async () => {
    for (const [data, message] of [
      [[[1, 2], [3]], /Row 2 .* 1 numbers/],
      [
        [
          [1, 2],
          [3, NaN],
        ],
        /row 2, column 2 holds NaN/,
      ],
      [
        [
          [1, 2],
          [1e300, 3],
        ],
        /row 2, column 1 holds 1e\+300/,
      ],
      [[], /no points/],
      [{ data: new Float32Array(0), shape: [0, 2], dtype: 'f32' }, /no points/],
    ] as const) {
      const error = await errorOf(() => points({ data: data as never }));
      expect(error).instanceOf(DataError);
      expect(error.message).to.match(message);
    }
  });

  it('wants a file or data, not both or neither', () => {
    expect(() => points()).to.throw(OptionError, 'either file or data');
    expect(() => points({ data: many, file: 'a.csv' })).to.throw(OptionError, 'either file or data');
    expect(() => points({ data: 'a.csv' as never })).to.throw(OptionError, 'data');
  });

  it('needs a service to read files with', async () => {
    expect(await errorOf(() => points({ file: 'a.csv' }))).instanceOf(PluginError);
  });

  describe('from .csv', () => {
    it('reads numbers with and without a header, line ends and separators of all kinds', async () => {
      const expected = ['-1.5,2000', '0.25,3'];
      for (const text of [
        '-1.5,2e3\n.25,3\n',
        'x,y\r\n-1.5,2e3\r\n.25,3',
        '\uFEFFx;y\n-1.5;2e3\n.25;3\n\n',
        '-1.5\t+2000\n0.25\t3',
        '# made by hand\n"x","y"\n"-1.5","2000"\n\n 0.25 , 3 \n',
      ]) {
        expect(await sortedRows(text), JSON.stringify(text)).to.deep.equal(expected);
      }
      expect(await sortedRows('-1.5 2e3\n.25 3\n', { delimiter: ' ' })).to.deep.equal(expected);
      expect(await sortedRows('0,1\n-1.5,2e3\n.25,3', { header: true })).to.deep.equal(expected);
      expect(await sortedRows('7\n8\n9')).to.deep.equal(['7', '8', '9']);
    });

    it('names file, row and column of what is wrong', async () => {
      await expectDataError('1,2\n3,x\n', /data\.csv, row 2, column 2 holds 'x'/);
      await expectDataError('x,y\n1,2\n\n3,nan\n', /row 4, column 2 holds 'nan'/);
      await expectDataError('1,2\n,4\n', /row 2, column 1 holds ''/);
      await expectDataError('1,2\ninf,4\n', /row 2, column 1 holds 'inf'/);
      await expectDataError('1,2\n1e999,4\n', /row 2, column 1 holds Infinity/);
      await expectDataError('1,2\n0x10,4\n', /row 2, column 1 holds '0x10'/);
      await expectDataError('1,5;2,5\n', /holds no rows/);
      await expectDataError('1,5;2\n', /row 1, column 1 holds '1,5'/);
      await expectDataError('x,1\n2,3\n', /row 1, column 1 holds 'x'/);
      await expectDataError('1,2\n3\n', /row 2 has 1 fields.*2/);
      await expectDataError('x,y\n1,2\n3,4,5\n', /row 3 has 3 fields.*2/);
      await expectDataError('"1,2\n3,4\n', /row 1/);
    });

    it('refuses files without rows, and bytes that are no text', async () => {
      for (const text of ['', '\n\n', 'x,y\n']) await expectDataError(text, /data\.csv holds no rows/);
      await expectDataError(Uint8Array.of(0x31, 0xff, 0xfe), /data\.csv is not UTF-8/);
    });
  });

  describe('from .npy', () => {
    const file = 'data.npy';

    it('reads float16, float32, float64 and int32 of versions 1 to 3', async () => {
      for (const version of [1, 2, 3]) {
        for (const [descr, data] of [
          ['<f2', Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400)],
          ['<f4', Float32Array.of(1, 2, 3, 4)],
          ['<f8', Float64Array.of(1, 2, 3, 4)],
          ['<i4', Int32Array.of(1, 2, 3, 4)],
        ] as const) {
          const read = await load(npy({ descr, data, version }), { file });
          expect(rowsOf(await draw(read, 0, 2)).toSorted(), `${descr}, version ${version}`).to.deep.equal([
            '1,2',
            '3,4',
          ]);
        }
      }
    });

    it('reads arrays of any rank', async () => {
      expect((await load(npy({ data: square, shape: '(4,)' }), { file })).shape).to.deep.equal([1]);
      expect((await load(npy({ data: square, shape: '(2, 1, 2)' }), { file })).shape).to.deep.equal([1, 2]);
    });

    it('reads a window into a larger buffer', async () => {
      const whole = Buffer.concat([Buffer.alloc(13), npy({ data: Float32Array.of(1, 2, 3, 4) })]);
      const { x1 } = await (await load(whole.subarray(13), { file })).batch({ index: 0, size: 2, seed: 0 });
      expect(Array.from(x1.data).toSorted((a, b) => a - b)).to.deep.equal([1, 2, 3, 4]);
    });

    it('names the file and what is wrong with it', async () => {
      await expectDataError('x,y\n1,2\n3,4\n', /data\.npy: this is no \.npy file/, { file });
      await expectDataError(new Uint8Array(0), /no \.npy file/, { file });
      await expectDataError(npy({ data: square, version: 4 }), /version 4/, { file });
      for (const descr of ['>f4', '>f2', '<i8', '|u1', '<U3', '|O'])
        await expectDataError(npy({ data: square, descr }), /data\.npy: elements are of dtype .*astype/, { file });
      await expectDataError(npy({ data: square, order: 'True' }), /Fortran order/, { file });
      await expectDataError(npy({ data: square, cut: 4 }), /bytes.*shape \[2, 2\]/, { file });
      await expectDataError(npy({ data: square, shape: '(2, 1)' }), /bytes/, { file });
      await expectDataError(npy({ data: square, cut: 60 }), /cut short/, { file });
      await expectDataError(npy({ data: square, descr: "[('a', '<f4'), ('b', '<f4')]" }), /not understood/, { file });
      await expectDataError(npy({ data: new Float32Array(0), shape: '(0, 2)' }), /no points/, { file });
      await expectDataError(npy({ data: square, shape: '()' }), /bytes|no points/, { file });
      await expectDataError(npy({ data: Float32Array.of(1, 2, NaN, 4) }), /row 2, column 1 holds NaN/, { file });
      await expectDataError(
        npy({ data: Float64Array.of(1, 2, 3, -1e39), descr: '<f8' }),
        /row 2, column 2 holds -1e\+39/,
        { file },
      );
      await expectDataError(
        npy({ data: Float32Array.of(1, 2, Infinity, 4), shape: '(1, 2, 2)' }),
        /row 1, element 2 holds Infinity/,
        { file },
      );
    });
  });

  it('names files of other formats, and those that are missing', async () => {
    await expectDataError('', /data\.parquet is of no known format/, { file: 'data.parquet' });
    const missing = await errorOf(() => registryWith({}).build('dataset', { name: 'points', file: 'gone.csv' }));
    expect(missing).instanceOf(DataError);
  });
});
