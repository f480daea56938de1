import { onnx } from '@flow-matching/backend-onnx';
import { formatReport, reportHtml, runConformance } from '@flow-matching/conformance';
import { assert } from 'chai';
import { speedCases } from '../src/suites/speedCases.ts';

describe('level 6', () => {
  it('notes rates that are finite and above zero, and judges nothing', async () => {
    const report = await runConformance(() => onnx(), { cases: speedCases() });
    const notes = report.results.flatMap((result) => result.notes ?? []);
    assert.strictEqual(notes.length, speedCases().length);
    for (const { quantity, value } of notes) assert.isTrue(Number.isFinite(value) && value > 0, quantity);
    assert.isTrue(report.results.every(({ measurement }) => measurement === undefined));
    for (const shown of [formatReport(report), reportHtml(report)])
      for (const { quantity } of notes) assert.include(shown, quantity);
  });
});
