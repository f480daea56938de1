import { expect } from 'chai';
import * as fm from '@flow-matching/tensor';
import { hostArray, trace, type Tensor } from '@flow-matching/tensor';
import { onnx } from '@flow-matching/backend-onnx';

/** The distance of two f32 neighbours at `value`. */
function ulp(value: number): number {
  const magnitude = Math.max(Math.abs(value), 2 ** -126);
  return 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

describe('accuracy of what ONNX has no operator for', () => {
  const backend = onnx({ threads: 1 });
  after(() => backend.dispose());

  /** The worst error in units in the last place of f32, over inputs from `values`. */
  async function worst(
    formula: (x: Tensor) => Tensor,
    exact: (x: number) => number,
    values: readonly number[],
  ): Promise<number> {
    const x = Float32Array.from(values);
    const executable = await backend.compile(trace(({ x }) => formula(x), { x: fm.f32([x.length]) }));
    const actual = await (await executable.run({ x: hostArray(x) }))['output'].read();
    await executable.dispose();
    return Math.max(...Array.from(x, (value, i) => Math.abs(actual[i] - exact(value)) / ulp(exact(value))));
  }

  const magnitudes = Array.from({ length: 4000 }, (_, i) => 10 ** (-30 + (i * 31) / 4000));

  it('Expm1 is within 8 units in the last place, however small x is', async () => {
    expect(await worst(fm.expm1, Math.expm1, [...magnitudes, ...magnitudes.map((x) => -x)])).to.be.at.most(8);
  });

  it('Log1p is within 4 units in the last place, however small x is', async () => {
    expect(
      await worst(fm.log1p, Math.log1p, [...magnitudes, ...magnitudes.map((x) => -x).filter((x) => x > -0.999)]),
    ).to.be.at.most(4);
  });

  it('have the correct limits at the ends', async () => {
    const executable = await backend.compile(
      trace(({ x }) => ({ expm1: fm.expm1(x), log1p: fm.log1p(x) }), { x: fm.f32([6]) }),
    );
    const { expm1, log1p } = await executable.run({ x: hostArray([-Infinity, -1, 0, 1e30, Infinity, Number.NaN]) });
    const close = Math.fround(Math.expm1(-1));
    const [low, minusOne, ...rest] = await expm1.read();
    expect(low).to.equal(-1);
    expect(minusOne).to.be.closeTo(close, 2e-7);
    expect(rest).to.deep.equal([0, Infinity, Infinity, Number.NaN]);
    const logs = Array.from(await log1p.read());
    expect(logs[3]).to.be.closeTo(Math.log(1e30), 1e-5);
    logs[3] = 0;
    expect(logs).to.deep.equal([Number.NaN, -Infinity, 0, 0, Infinity, Number.NaN]);
    await executable.dispose();
  });
});
