import { createContainer, FILES, PluginError, PluginRegistry, type Batch, type Dataset } from '@flow-matching/core';
import { DataError, OptionError, type HostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import { readCsv } from '../src/datasets/readCsv.ts';
import { builtinPlugins, checkerboard, pair, points } from '../src/index.ts';

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

/** Options of points; the name of the file is data.csv by default. */
type PluginOptions = { readonly file?: string } & Readonly<Record<string, unknown>>;

async function load(content: Uint8Array | string, options: PluginOptions = {}): Promise<Dataset> {
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
  options: PluginOptions = {},
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

  it('needs either a file or data, not both', () => {
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

    it('keeps a first row that holds a value, however it is written', async () => {
      expect(await sortedRows('1.0D+00,2.0d-1\n3,4\n')).to.deep.equal(['1,0.20000000298023224', '3,4']);
      await expectDataError('nan,nan\n1,2\n', /line 1, column 1 holds 'nan'/);
      await expectDataError('inf,x\n1,2\n', /line 1, column 1 holds 'inf'/);
      await expectDataError('NA,NA\n1,2\n', /line 1, column 1 holds 'NA'/);
      await expectDataError('0,5;1,5\n2,5;3,5\n', /line 1, column 1 holds '0,5'.*decimal point/);
      await expectDataError(
        '\u22121.5,2\n',
        /line 1, column 1 holds '\u22121\.5', whose sign is the character U\+2212/,
      );
      await expectDataError('x,2020\n1,2\n', /line 1, column 1 holds 'x'.*header: true/);
      expect(await sortedRows('x,2020\n1,2\n', { header: true })).to.deep.equal(['1,2']);
    });

    it('reads what spreadsheets, NumPy and old systems write', async () => {
      const expected = ['1,2', '3,4'];
      for (const text of [
        '1 2\n3 4\n',
        'x   y\n 1   2\n 3   4 \n',
        '1.0e+00 2.0e+00\n3.0e+00 4.0e+00\n',
        'x,y,\n1,2,\n3,4,\n',
        '1,2,\n3,4,\n',
        'x,y\n1,2,\n3,4,\n',
        '1,2\r3,4\r',
        '1,2\r\n3,4\n\n',
        '# it\'s 5" wide, "or so\n1,2\n3,4\n   \n',
        '1,\u00A02\n3,\u00A04\n',
        '"#x","y"\n1,2\n3,4\n',
      ])
        expect(await sortedRows(text), JSON.stringify(text)).to.deep.equal(expected);
    });

    it('reads the columns asked for, by name and by number', async () => {
      const text = ',x,label,y\n0,1,cat,2\n1,3,dog,4\n';
      expect(await sortedRows(text, { columns: ['x', 'y'] })).to.deep.equal(['1,2', '3,4']);
      expect(await sortedRows(text, { columns: [4, 2] })).to.deep.equal(['2,1', '4,3']);
      await expectDataError(text, /line 1 gives column 1 no name.*index=False/);
      await expectDataError(text, /has no column 'z'.*one of , x, label, y/, { columns: ['z'] });
      await expectDataError(text, /has no column 5.*1 to 4/, { columns: [5] });
      await expectDataError('1,2\n', /no column 'x'.*no row names/, { columns: ['x'] });
      await expectDataError(text, /line 2, column 3 holds 'cat'/, { columns: ['label'] });
    });

    it('names file, line and column of what is wrong', async () => {
      await expectDataError('1,2\n3,x\n', /data\.csv, line 2, column 2 holds 'x'/);
      await expectDataError('x,y\n1,2\n\n3,nan\n', /line 4, column 2 holds 'nan'/);
      await expectDataError('# a\n"x\n1",y\n1,2\n3,nan\n', /line 5, column 2 holds 'nan'/);
      await expectDataError('1,2\n,4\n', /line 2, column 1 is empty/);
      await expectDataError('x,y\n1,\n', /line 2, column 2 is empty/);
      await expectDataError('1,2\ninf,4\n', /line 2, column 1 holds 'inf'/);
      await expectDataError('1,2\n1e999,4\n', /line 2, column 1 holds '1e999'.*float32/);
      await expectDataError('1,2\n1e39,4\n', /line 2, column 1 holds '1e39'.*float32/);
      await expectDataError('1,2\n0x10,4\n', /line 2, column 1 holds '0x10'/);
      await expectDataError('1,5;2\n', /line 1, column 1 holds '1,5'/);
      await expectDataError('1,2\n3\n', /line 2 has 1 fields.*2/);
      await expectDataError('x,y\n1,2\n3,4,5\n', /line 3 has 3 fields.*2/);
      await expectDataError('x,y\n[m],[s]\n1,2\n', /line 2, column 1 holds '\[m\]'/);
      await expectDataError('"1,2\n3,4\n', /line 1/);
      await expectDataError(`1,${'x'.repeat(1e6)}\n`, /^.{0,200}x{40}… \(1000000 characters\).{0,200}$/);
    });

    it('refuses files without rows', async () => {
      for (const text of ['', '\n\n', 'x,y\n', '# x\n']) await expectDataError(text, /data\.csv holds no rows/);
    });

    it('describes bytes that are not UTF-8 text', async () => {
      const utf16 = (text: string, first = 0): Uint8Array =>
        Uint8Array.from({ length: 2 * text.length }, (_, i) => (i % 2 === first ? text.charCodeAt(i >> 1) : 0));
      await expectDataError(Uint8Array.of(0xff, 0xfe, ...utf16('1,2\n')), /UTF-16 text \(little-endian\)/);
      await expectDataError(Uint8Array.of(0xfe, 0xff, ...utf16('1,2\n', 1)), /UTF-16 text \(big-endian\)/);
      await expectDataError(utf16('1,2\n'), /line 1 holds the byte 0x00, as UTF-16 \(little-endian\) does/);
      await expectDataError(utf16('1,2\n', 1), /line 1 holds the byte 0x00, as UTF-16 \(big-endian\) does/);
      await expectDataError(new TextEncoder().encode('1,2\n3,4\0\n'), /line 2 holds the byte 0x00, which no text has/);
      const latin = Uint8Array.from('x,y\ntemp\xE9rature,1\n', (letter) => letter.charCodeAt(0));
      await expectDataError(latin, /line 2 holds the byte 0xE9.*Latin-1 it is 'é'/);
      await expectDataError(Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip/);
      await expectDataError(npy({ data: square }), /NumPy/);
    });

    it('reads a file in parts of any size as it reads it whole', async () => {
      const text = '# né "quoted\r\n"x",é\r\n1,"2"\r\n\r\n"3\n",4\r\n# 5\r\n6,7\n8,9\r10,11,\r\n12,13';
      const bytes = new TextEncoder().encode(text);
      const whole = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13];
      for (let size = 1; size <= bytes.length; size++) {
        const { values, columns } = await readCsv('data.csv', bytes, {}, size);
        expect([columns, ...values], `parts of ${size} bytes`).to.deep.equal([2, ...whole]);
      }
      const wrong = new TextEncoder().encode(`${text}\n14,x`);
      for (let size = 1; size <= wrong.length; size++) {
        const error = await errorOf(() => readCsv('data.csv', wrong, {}, size));
        expect(error.message, `parts of ${size} bytes`).to.contain("line 12, column 2 holds 'x'");
      }
      const broken = Uint8Array.of(...bytes, 10, 0xe9, 10);
      for (let size = 1; size <= broken.length; size++) {
        const error = await errorOf(() => readCsv('data.csv', broken, {}, size));
        expect(error.message, `parts of ${size} bytes`).to.contain('holds the byte 0xE9');
      }
    });
  });

  describe('from .npy', () => {
    const file = 'data.npy';

    /** 1, 2, 3, 4 as NumPy stores them: the letter of the dtype, and how a DataView writes it. */
    const stored: Readonly<
      Record<
        string,
        readonly [width: number, set: (view: DataView, at: number, value: number, little: boolean) => void]
      >
    > = {
      f2: [2, (view, at, value, little) => view.setUint16(at, [0, 0x3c00, 0x4000, 0x4200, 0x4400][value], little)],
      f4: [4, (view, at, value, little) => view.setFloat32(at, value, little)],
      f8: [8, (view, at, value, little) => view.setFloat64(at, value, little)],
      i1: [1, (view, at, value) => view.setInt8(at, value)],
      i2: [2, (view, at, value, little) => view.setInt16(at, value, little)],
      i4: [4, (view, at, value, little) => view.setInt32(at, value, little)],
      i8: [8, (view, at, value, little) => view.setBigInt64(at, BigInt(value), little)],
      u1: [1, (view, at, value) => view.setUint8(at, value)],
      u2: [2, (view, at, value, little) => view.setUint16(at, value, little)],
      u4: [4, (view, at, value, little) => view.setUint32(at, value, little)],
      u8: [8, (view, at, value, little) => view.setBigUint64(at, BigInt(value), little)],
    };
    const bytesOf = (code: string, values: readonly number[], little = true): Uint8Array => {
      const [width, set] = stored[code];
      const view = new DataView(new ArrayBuffer(width * values.length));
      values.forEach((value, i) => set(view, i * width, value, little));
      return new Uint8Array(view.buffer);
    };
    const inOrder = async (content: Uint8Array): Promise<number[][]> => {
      const data = await load(content, { file });
      const { x1 } = await data.batch({ index: 0, size: data.size!, seed: 0 });
      return rowsOf(x1)
        .map((row) => row.split(',').map(Number))
        .toSorted(([a], [b]) => a - b);
    };

    it('reads every integer and float of NumPy in both byte orders, in versions 1 to 3', async () => {
      for (const version of [1, 2, 3]) {
        for (const code of Object.keys(stored)) {
          for (const order of ['<', '>']) {
            const descr = code.endsWith('1') ? `|${code}` : `${order}${code}`;
            const data = bytesOf(code, [1, 2, 3, 4], order === '<');
            expect(await inOrder(npy({ descr, data, version })), `${descr}, version ${version}`).to.deep.equal([
              [1, 2],
              [3, 4],
            ]);
          }
        }
      }
    });

    it('reads the signs and bounds of integers, and booleans as 0 and 1', async () => {
      const read = (descr: string, data: { readonly buffer: ArrayBufferLike }): Promise<number[][]> =>
        inOrder(npy({ descr, data, shape: '(2, 1)' }));
      expect(await read('|i1', Int8Array.of(127, -128))).to.deep.equal([[-128], [127]]);
      expect(await read('|u1', Uint8Array.of(255, 0))).to.deep.equal([[0], [255]]);
      expect(await read('<i2', Int16Array.of(-32768, 32767))).to.deep.equal([[-32768], [32767]]);
      expect(await read('<u2', Uint16Array.of(65535, 0))).to.deep.equal([[0], [65535]]);
      expect(await read('<i4', Int32Array.of(-(2 ** 31), 7))).to.deep.equal([[-(2 ** 31)], [7]]);
      expect(await read('<u4', Uint32Array.of(2 ** 31, 7))).to.deep.equal([[7], [2 ** 31]]);
      expect(await read('<i8', BigInt64Array.of(-(2n ** 63n), 7n))).to.deep.equal([[-(2 ** 63)], [7]]);
      expect(await read('<u8', BigUint64Array.of(2n ** 63n, 7n))).to.deep.equal([[7], [2 ** 63]]);
      expect(await read('|b1', Uint8Array.of(1, 0))).to.deep.equal([[0], [1]]);
    });

    it('reads Fortran order, which any transposed array is saved in', async () => {
      const matrix = npy({ order: 'True', shape: '(2, 3)', data: Float32Array.of(1, 4, 2, 5, 3, 6) });
      expect(await inOrder(matrix)).to.deep.equal([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      // numpy.arange(24).reshape(2, 3, 4): element (i, j, k) is 12 i + 4 j + k, and lies at i + 2 j + 6 k.
      const data = new Float32Array(24);
      for (let n = 0; n < 24; n++) data[Math.floor(n / 12) + 2 * (Math.floor(n / 4) % 3) + 6 * (n % 4)] = n;
      const cube = await inOrder(npy({ order: 'True', shape: '(2, 3, 4)', data }));
      expect(cube.flat()).to.deep.equal(Array.from({ length: 24 }, (_, n) => n));
      const line = npy({ order: 'True', shape: '(4,)', data: square });
      expect((await inOrder(line)).flat()).to.deep.equal([1, 2, 3, 4.5]);
    });

    it('says how many integers float32 rounds, and gives one', async () => {
      const warnings = async (descr: string, data: { readonly buffer: ArrayBufferLike }): Promise<string> =>
        ((await load(npy({ descr, data }), { file })).warnings ?? []).filter((text) => text.includes('float32')).join();
      expect(await warnings('<i4', Int32Array.of(1, 2 ** 24, 3, 4))).to.equal('');
      expect(await warnings('<i4', Int32Array.of(1, 2 ** 24 + 1, 3, 4))).to.match(/^data\.npy: 1 of 4 .* 16777217 /);
      expect(await warnings('<i8', BigInt64Array.of(2n ** 53n + 1n, 2n, 2n ** 60n + 1n, 2n ** 60n))).to.match(
        /2 of 4 .* 9007199254740993 /,
      );
      expect(await warnings('>u8', BigUint64Array.of(0n, 0n, 0n, 2n ** 56n - 1n))).to.match(/1 of 4/);
    });

    it('reads headers as Python, Python 2 and NumPy 2 write them', async () => {
      for (const shape of ['(2,2,)', '(2L, 2L)', '(np.int64(2), np.int64(2))', '[2, 2]'])
        expect(await inOrder(npy({ data: square, shape })), shape).to.deep.equal([
          [1, 2],
          [3, 4.5],
        ]);
      const quoted = new TextEncoder().encode(`{"descr":"<f4","fortran_order":False,"shape":(2,2)}\n`);
      const head = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, quoted.length, 0, ...quoted);
      expect(await inOrder(Uint8Array.of(...head, ...new Uint8Array(square.buffer)))).to.deep.equal([
        [1, 2],
        [3, 4.5],
      ]);
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

    it('names the file and the problem', async () => {
      await expectDataError('x,y\n1,2\n3,4\n', /data\.npy is not a \.npy file/, { file });
      await expectDataError(new Uint8Array(0), /not a \.npy file/, { file });
      await expectDataError(npy({ data: square, version: 4 }), /version 4/, { file });
      for (const [descr, message] of [
        ['<c8', /complex.*\.real/],
        ['<U3', /text.*astype/],
        ['|S3', /text.*astype/],
        ['|O', /Python objects.*astype/],
        ['<M8[ns]', /dates.*astype/],
        ['<f16', /'<f16'.*astype/],
        ['|V4', /'\|V4'/],
        ["[('a', '<f4'), ('b', '<f4')]", /records.*structured_to_unstructured/],
      ] as const)
        await expectDataError(npy({ data: square, descr }), message, { file });
      for (const [magic, format] of [
        [[0x50, 0x4b, 3, 4], /zip archive.*\.npz/],
        [[0x1f, 0x8b, 8, 0], /gzip/],
        [[0x80, 4, 0x95, 0], /pickle/],
        [[0x89, 0x48, 0x44, 0x46], /HDF5/],
      ] as const)
        await expectDataError(Uint8Array.of(...magic, ...new Uint8Array(40)), format, { file });
      await expectDataError(npy({ data: square, shape: '(-2, 2)' }), /shape \(-2, 2\)/, { file });
      await expectDataError(npy({ data: square, shape: '(9007199254740993, 2)' }), /shape/, { file });
      await expectDataError(npy({ data: square, shape: '(99999999, 99999999, 99999999)' }), /bytes/, { file });
      await expectDataError(npy({ data: square, cut: 4 }), /bytes.*shape \[2, 2\]/, { file });
      await expectDataError(npy({ data: square, shape: '(2, 1)' }), /bytes/, { file });
      await expectDataError(npy({ data: square, cut: 60 }), /cut short/, { file });
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

  it('warns of scales that are far from those of noise, and of columns that do not vary', async () => {
    const warnings = (rows: number[][]): readonly string[] => (points({ data: rows }) as Dataset).warnings ?? [];
    const [near] = [many.map(([a, b]) => [a / 10, b - 5])];
    expect(warnings(near)).to.deep.equal([]);
    const [scales] = warnings(near.map(([a, b]) => [a * 500, b / 1000]));
    expect(scales).to.match(/means are .* standard deviations 0\.00332 \(column 2\) to 332 \(column 1\).*standardize/);
    expect(warnings(near.map(([a, b]) => [a, b + 1000]))[0]).to.match(
      /means are 1\.1 \(column 1\) to 1000 \(column 2\)/,
    );
    expect(warnings(near.map(([a]) => [a, 5]))[0]).to.match(/Column 2 is constant, 5\..*no density/);
    expect(warnings([[1e6], [1e6]])[0]).to.match(/All points are the same/);
    const images = points({
      data: { data: Float32Array.from({ length: 32 }, (_, i) => i * 8), shape: [2, 4, 4], dtype: 'f32' },
    });
    expect((images as Dataset).warnings![0]).to.match(/means are 124, standard deviations 73\.9\./);
    const both = pair({ source: points({ data: near }), target: points({ data: near.map(([a, b]) => [a, b * 100]) }) });
    expect((both as Dataset).warnings).to.have.length(1);
  });

  it('names files of other formats, and those that are missing', async () => {
    await expectDataError('', /data\.parquet is of no known format/, { file: 'data.parquet' });
    const missing = await errorOf(() => registryWith({}).build('dataset', { name: 'points', file: 'gone.csv' }));
    expect(missing).instanceOf(DataError);
  });
});
