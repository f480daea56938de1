import { formatReport, runConformance } from '@flow-matching/conformance';
import { assert } from 'chai';
import eager from 'flow-matching-example-backend';

it('the eager backend passes levels 0 to 2', async () => {
  const report = await runConformance(eager, { levels: [0, 1, 2] });
  assert.isTrue(report.passed, formatReport(report));
}).timeout(600_000);
