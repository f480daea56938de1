import { figureStyle } from './figureStyle.ts';
import { escapeText } from './svg.ts';

/** One key number, shown large. */
export interface Headline {
  readonly label: string;
  readonly value: string;
  readonly note?: string | undefined;
}

export interface Figure {
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
}

export interface ReportContent {
  readonly title: string;
  readonly subtitle: string;
  readonly headlines: readonly Headline[];
  readonly loss?: string | undefined;
  readonly figures: readonly Figure[];
  readonly tables: readonly {
    readonly title: string;
    readonly rows: readonly (readonly [key: string, value: string])[];
  }[];
}

const style = `
:root { color-scheme: light; --ink: #1f2933; --soft: #62707d; --line: #d9dfe5; --blue: #1f5fa8; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { margin: 0; font-size: 28px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 40px 0 12px; font-size: 18px; }
p { margin: 4px 0; color: var(--soft); overflow-wrap: anywhere; }
dl.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 28px 0 0; }
dl.headlines div { border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
dl.headlines dt { color: var(--soft); font-size: 13px; }
dl.headlines dd { margin: 0; font-size: 24px; font-variant-numeric: tabular-nums; }
dl.headlines small { display: block; color: var(--soft); font-size: 12px; line-height: 1.35; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 28px 24px; align-items: start; }
figure { margin: 0; }
figure h3 { margin: 0 0 6px; font-size: 15px; }
figcaption { color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: auto; }
${figureStyle}.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 0 32px; align-items: start; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 5px 0; border-bottom: 1px solid #edf0f3; text-align: left; vertical-align: top; font-weight: normal; }
th { width: 46%; padding-right: 16px; color: var(--soft); } td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
table.columns { margin-top: 28px; } .columns th { width: auto; } .columns td:not(.text), .columns thead th:not(.text) { text-align: right; white-space: nowrap; }
.columns td, .columns th { padding-left: 12px; } .columns :first-child { padding-left: 0; } .columns tbody th { color: var(--ink); }
figure.wide { margin-top: 40px; }
`;

/** A self-contained page: no script and no external resources. */
export function reportHtml({ title, subtitle, headlines, loss, figures, tables }: ReportContent): string {
  const parts = [
    `<h1>${escapeText(title)}</h1><p>${escapeText(subtitle)}</p>`,
    `<dl class="headlines">${headlines.map(headlineHtml).join('')}</dl>`,
    loss && `<h2>Loss</h2><figure>${loss}</figure>`,
    figures.length > 0 &&
      `<h2>Samples and likelihood</h2><div class="figures">${figures.map(figureHtml).join('')}</div>`,
    `<div class="tables">${tables.map(tableHtml).join('')}</div>`,
  ];
  return pageHtml(title, parts.filter(Boolean).join('\n'));
}

/** The HTML page around a body. */
export const pageHtml = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`;

const headlineHtml = ({ label, value, note }: Headline): string =>
  `<div><dt>${escapeText(label)}</dt><dd>${escapeText(value)}${note === undefined ? '' : `<small>${escapeText(note)}</small>`}</dd></div>`;

export const figureHtml = ({ title, caption, svg }: Figure): string =>
  `<figure><h3>${escapeText(title)}</h3>${svg}<figcaption>${escapeText(caption)}</figcaption></figure>`;

const tableHtml = ({ title, rows }: ReportContent['tables'][number]): string =>
  `<section><h2>${escapeText(title)}</h2><table>${rows.map(([key, value]) => `<tr><th scope="row">${escapeText(key)}</th><td>${escapeText(value)}</td></tr>`).join('')}</table></section>`;
