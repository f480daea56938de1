import { figureHtml, pageHtml, type Figure } from '../report/reportHtml.ts';
import { escapeText } from '../report/svg.ts';
import type { ComparisonTable } from './comparisonTable.ts';

export interface ComparisonPage {
  readonly title: string;
  readonly subtitle: string;
  readonly table: ComparisonTable;
  readonly notes: readonly string[];
  readonly figures: readonly Figure[];
}

/** The table and the figures as a self-contained page. */
export function compareHtml({ title, subtitle, table, notes, figures }: ComparisonPage): string {
  return pageHtml(
    title,
    [
      `<h1>${escapeText(title)}</h1><p>${escapeText(subtitle)}</p>`,
      tableHtml(table),
      ...notes.map((note) => `<p>${escapeText(note)}</p>`),
      ...figures.map((figure) => figureHtml(figure).replace('<figure>', '<figure class="wide">')),
    ].join('\n'),
  );
}

function tableHtml({ head, rows, words }: ComparisonTable): string {
  const kind = (column: number): string => (words[column] ? ' class="text"' : '');
  const titles = head.map((title, i) => `<th scope="col"${kind(i)}>${escapeText(title)}</th>`).join('');
  const body = rows.map(
    ([name, ...cells]) =>
      `<tr><th scope="row">${escapeText(name)}</th>${cells.map((cell, i) => `<td${kind(i + 1)}>${escapeText(cell)}</td>`).join('')}</tr>`,
  );
  return `<table class="columns"><thead><tr>${titles}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}
