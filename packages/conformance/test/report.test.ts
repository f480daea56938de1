import { createReferenceBackend, mul } from '@flow-matching/tensor';
import { expect } from 'chai';
import { measureAgreement } from '../src/case/agreement.ts';
import type { ConformanceCase } from '../src/case/conformanceCase.ts';
import { claim } from '../src/case/conformanceError.ts';
import { exact } from '../src/case/limit.ts';
import { UndeclaredError } from '../src/backend/auditedBackend.ts';
import type { ConformanceReport } from '../src/report/conformanceReport.ts';
import { formatReport } from '../src/report/formatReport.ts';
import { reportHtml } from '../src/report/reportHtml.ts';
import { runConformance } from '../src/run/runConformance.ts';
import { expectEscaped } from '../../../test/support/markup.ts';

const testCase = (id: string, run: ConformanceCase['run']): ConformanceCase => ({
  id: `L1/${id}`,
  level: 1,
  dtype: 'f32',
  claim: `the claim of ${id}`,
  run,
});

const cases = [
  testCase('pass', (context) => measureAgreement(context, 'x', (x) => mul(x, 2), [context.random.normal([3])], exact)),
  testCase('fail', async () => claim(false, 'a < b & "c" is false')),
  testCase('error', async () => {
    throw new Error('it broke');
  }),
  testCase('unsupported', async () => {
    throw new UndeclaredError('The manifest does not declare Erf f32.');
  }),
];

describe('the report', () => {
  let report: ConformanceReport;
  before(async () => {
    report = await runConformance(createReferenceBackend, { cases, rerun: (id) => `rerun ${id}` });
  });

  it('as text has denominators, failures with their rerun command, and a verdict', () => {
    const text = formatReport(report);
    expect(text).to.match(/^1 +Operators +f32 +1\/4 +1 +1 +1$/m);
    expect(text).to.match(/^all +1\/4 +1 +1 +1$/m);
    expect(text).to.include('FAIL  L1/fail\n  a < b & "c" is false\n  rerun L1/fail');
    expect(text).to.include('ERROR  L1/error\n  it broke\n  rerun L1/error');
    expect(text).to.match(/Failed: 1 of 4 cases pass, 1 fail, 1 end in an error, 1 are unsupported\.$/);
  });

  it('of a run that was interrupted has not passed', () => {
    const results = report.results.slice(0, 1);
    const totals = [{ level: 1, dtype: 'f32', tally: { pass: 1, fail: 0, error: 0, unsupported: 0 } }] as const;
    const text = formatReport({ ...report, results, totals, passed: false, interrupted: { chosen: 4 } });
    expect(text).to.match(/Interrupted: 1 of 1 cases pass, ended before 3 of 4 chosen cases\.$/);
  });

  it('as a page has every row, failures first, statuses in words, and nothing unescaped', () => {
    const page = reportHtml(report);
    const statuses = [...page.matchAll(/class="status \w+" data-key="\d">(\w+)</g)].map(([, status]) => status);
    expect(statuses).to.deep.equal(['fail', 'error', 'pass', 'unsupported']);
    expect(page).to.include('a &#60; b &#38; &#34;c&#34; is false').and.not.to.include('a < b');
    for (const { id, claim: claimed, rerun } of report.results)
      for (const text of [id, claimed, rerun!]) expect(page).to.include(text);
    expect(page).not.to.match(/(src|href)=/);
  });

  it('as a page shows every text of backends, cases and versions as text', () => {
    const names = [
      'backend',
      'device',
      'version',
      'value',
      'id',
      'claim',
      'message',
      'rerun',
      'what',
      'input',
      'limit',
      'note',
    ];
    expectEscaped(names, (text) => {
      const result = {
        level: 1,
        dtype: 'f32',
        claim: text('claim'),
        milliseconds: 1,
        rerun: text('rerun'),
        measurement: {
          what: text('what'),
          ratio: 2,
          limit: text('limit'),
          worst: { at: [0], actual: 1, expected: 2, input: text('input') },
        },
      } as const;
      return reportHtml({
        ...report,
        backend: { name: text('backend'), device: text('device') },
        versions: { [text('version')]: text('value') },
        results: [
          { ...result, id: text('id'), status: 'fail', message: text('message') },
          { ...result, id: 'L1/other', status: 'pass', notes: [{ quantity: text('note'), value: 1, unit: 's' }] },
        ],
      });
    });
  });
});
