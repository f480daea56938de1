import { expect } from 'chai';
import { hostArray } from '@flow-matching/tensor';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../src/checkpoint/checkpoint.ts';
import { inProcess, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

describe('a checkpoint with a right checksum that does not fit its run', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  it('is refused by sample, evaluate and resume, naming the first parameter that differs', async () => {
    await writeFile(folder.file('e.yaml'), tinyExperiment);
    const run = folder.file('run');
    await inProcess('train', folder.file('e.yaml'), '--run', run, '--no-report');
    const file = join(run, 'checkpoints', '60.safetensors');
    const whole = decodeCheckpoint(file, await readFile(file));
    const { ema } = whole.state;
    const changed = (parts: Partial<Checkpoint['state']>, context = whole.context): Checkpoint => ({
      ...whole,
      context,
      state: { ...whole.state, ...parts },
    });
    const { 'layers.0.bias': dropped, ...missing } = ema!;
    const cases: [Checkpoint, RegExp][] = [
      [changed({ ema: missing }), /the parameter 'layers\.0\.bias' is absent\. Expected f32\[16\]/],
      [changed({ ema: { ...ema, extra: dropped } }), /the parameter 'extra' is f32\[16\]\. Expected absent/],
      [
        changed({ ema: { ...ema, 'layers.0.bias': hostArray([1, 2], [2]) } }),
        /the parameter 'layers\.0\.bias' is f32\[2\]\. Expected f32\[16\]/,
      ],
      [
        changed({ ema: { ...ema, 'layers.0.bias': hostArray(new Int32Array(16), [16], 'i32') } }),
        /the parameter 'layers\.0\.bias' is i32\[16\]\. Expected f32\[16\]/,
      ],
      [changed({}, { shape: [3] }), /the parameter 'layers\.0\.weight' is f32\[3, 16\]\. Expected f32\[4, 16\]/],
      [changed({}, { shape: [2 ** 40] }), /The model has \d+ parameters or more/],
    ];
    for (const [checkpoint, message] of cases) {
      await writeFile(file, Buffer.concat(encodeCheckpoint(checkpoint)));
      for (const command of [
        ['sample', run, '--count', '4', '--out', folder.file('s.npy')],
        ['evaluate', run, '--count', '4'],
        ['train', run, '--resume', '--no-report'],
      ]) {
        const { status, stderr } = await inProcess(...command);
        expect([status, stderr], command[0]).to.satisfy(
          ([code, text]: [number, string]) => code === 1 && text.includes('error FM_CHECKPOINT') && message.test(text),
          `${command[0]} said: ${stderr}`,
        );
      }
    }
  });
});
