import { formatNote } from '../case/note.ts';
import { levelTitles } from '../case/level.ts';
import { statuses, type CaseResult, type ConformanceReport, type Tally } from './conformanceReport.ts';
import { caseCount, describeRatio, describeVerdict, describeWorst, sumOfTallies } from './describeReport.ts';
import { escapeText } from './escapeText.ts';
import { reportScript } from './reportScript.ts';
import { reportStyle } from './reportStyle.ts';

/** A report as a self-contained page: it loads nothing, and shows every row even without its script. */
export function reportHtml(report: ConformanceReport): string {
  const { backend, passed } = report;
  const title = `Conformance of ${backend.name}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}: ${passed ? 'passed' : 'not passed'}</title>
<style>${reportStyle}</style>
</head>
<body><main>
<h1>${escapeText(title)}</h1>
<p class="verdict ${passed ? 'pass' : 'fail'}">${escapeText(sentence(describeVerdict(report)))}</p>
${circumstances(report)}
<h2>Totals</h2>
${totalsTable(report)}
<h2 id="cases">Cases</h2>
${controls(report)}
${casesTable(report)}
</main><script>${reportScript}</script></body>
</html>
`;
}

function circumstances({ backend, seed, versions = {}, milliseconds }: ConformanceReport): string {
  const entries = {
    device: backend.device,
    seed: String(seed),
    time: `${(milliseconds / 1000).toFixed(1)} s`,
    ...versions,
  };
  const items = Object.entries(entries).map(
    ([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`,
  );
  return `<dl>${items.join('')}</dl>`;
}

function totalsTable({ totals }: ConformanceReport): string {
  const rows = totals.map(
    ({ level, dtype, tally }) =>
      `<tr><th scope="row">${level} ${escapeText(levelTitles[level])}</th><td>${dtype}</td>${tallyCells(tally)}</tr>`,
  );
  const all = sumOfTallies(totals.map(({ tally }) => tally));
  return `<div class="scroll"><table class="totals"><caption hidden>Cases by level and dtype</caption>
<thead><tr><th scope="col">level</th><th scope="col">dtype</th><th scope="col" class="number">pass</th><th scope="col" class="number">fail</th><th scope="col" class="number">error</th><th scope="col" class="number">unsupported</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
<tfoot><tr><th scope="row">all</th><td></td>${tallyCells(all)}</tr></tfoot></table></div>`;
}

function tallyCells(tally: Tally): string {
  const others = (['fail', 'error', 'unsupported'] as const).map(
    (status) => `<td class="number ${tally[status] > 0 ? status : ''}">${tally[status]}</td>`,
  );
  return `<td class="number">${tally.pass} of ${caseCount(tally)}</td>${others.join('')}`;
}

function controls({ results, totals }: ConformanceReport): string {
  const tally = sumOfTallies(totals.map((total) => total.tally));
  const boxes = statuses
    .filter((status) => tally[status] > 0)
    .map(
      (status) =>
        `<label class="${status}"><input type="checkbox" name="status" value="${status}" checked> ${status} (${tally[status]})</label>`,
    );
  const chosen = [...new Set(results.map(({ level }) => level))].toSorted((a, b) => a - b);
  const dtypes = [...new Set(totals.map(({ dtype }) => dtype))];
  return `<div class="controls" hidden>
<label>Search <input type="search" placeholder="part of an id, a claim, a message"></label>
<fieldset><legend>Status</legend>${boxes.join('')}</fieldset>
<label>Level <select><option value="">all</option>${chosen.map((level) => `<option value="${level}">${level} ${escapeText(levelTitles[level])}</option>`).join('')}</select></label>
<label>Dtype <select><option value="">all</option>${dtypes.map((dtype) => `<option>${dtype}</option>`).join('')}</select></label>
</div>
<p class="shown" role="status"></p>`;
}

const order = ['fail', 'error', 'pass', 'unsupported'] as const;

function casesTable({ results }: ConformanceReport): string {
  const sorted = results.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  // Roles are explicit because a table with block layout loses them.
  const header = (title: string, kind = ''): string =>
    `<th scope="col" role="columnheader" class="${kind}"><button type="button" disabled>${title}</button></th>`;
  return `<table class="cases" role="table" aria-labelledby="cases">
<colgroup><col class="status"><col><col class="ratio"><col class="limit"><col class="time"></colgroup>
<thead role="rowgroup"><tr role="row">${header('status')}${header('case')}${header('error ÷ limit', 'number')}${header('limit')}${header('time', 'number')}</tr></thead>
<tbody role="rowgroup">
${sorted.map(caseRow).join('\n')}
</tbody></table>`;
}

function caseRow(result: CaseResult): string {
  const { id, level, dtype = '-', status, claim, message, measurement, notes, milliseconds } = result;
  const limit = measurement?.limit ?? '';
  const failed = status === 'fail' || status === 'error';
  const remark = message ?? notes?.map(formatNote).join(', ');
  const note = remark ? `<span class="message ${failed ? status : 'claim'}">${escapeText(remark)}</span>` : '';
  return `<tr role="row" data-status="${status}" data-level="${level}" data-dtype="${dtype}">
<td role="cell" class="status ${status}" data-key="${order.indexOf(status)}">${status}</td>
<th scope="row" role="rowheader" data-key="${escapeText(id)}"><span class="id">${escapeText(id)}</span><br><span class="claim">${escapeText(claim)}</span>${note}${details(result, failed)}</th>
<td role="cell" class="number" data-label="error ÷ limit" data-key="${sortKey(measurement?.ratio)}">${describeRatio(result)}</td>
<td role="cell" class="limit" data-label="limit">${escapeText(limit)}</td>
<td role="cell" class="number" data-label="time" data-key="${milliseconds}">${formatMilliseconds(milliseconds)}</td></tr>`;
}

/** The measurements and the rerun command, collapsed unless the case failed. */
function details(result: CaseResult, open: boolean): string {
  const { rerun } = result;
  const worst = describeWorst(result);
  const parts = [
    worst && `<p>worst: ${escapeText(worst)}</p>`,
    rerun &&
      `<div class="rerun"><code>${escapeText(rerun)}</code><button type="button" aria-label="Copy the rerun command" hidden>Copy</button></div>`,
  ].filter(Boolean);
  if (parts.length === 0) return '';
  return `<details${open ? ' open' : ''}><summary>worst and rerun</summary>${parts.join('')}</details>`;
}

/** NaN sorts above infinity, and no measurement below everything. */
function sortKey(ratio: number | undefined): string {
  if (ratio === undefined) return '-1';
  return Number.isFinite(ratio) ? String(ratio) : Number.isNaN(ratio) ? 'Infinity' : '1e308';
}

const formatMilliseconds = (value: number): string =>
  value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
