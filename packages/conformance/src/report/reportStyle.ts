/** The style of the page: light or dark as the system; below 760 pixels each row of cases is a separate block. */
export const reportStyle = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2933; --soft: #5b6875; --line: #d9dfe5; --faint: #f4f6f8; --blue: #1f5fa8; --pass: #17703f; --fail: #b3261e; --error: #8a5200; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e6eaee; --soft: #9fabb7; --line: #323c46; --faint: #1d232a; --blue: #86b7f0; --pass: #63cf95; --fail: #ff8d83; --error: #f0b661; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { margin: 0; font-size: 28px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 36px 0 10px; font-size: 18px; }
p { margin: 4px 0; color: var(--soft); overflow-wrap: anywhere; }
.verdict { margin: 18px 0 0; padding: 10px 14px; border: 1px solid currentColor; border-left-width: 6px; border-radius: 8px; font-weight: 600; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .error { color: var(--error); } .unsupported { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 18px 0 0; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: normal; }
thead th { color: var(--soft); white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.totals { width: auto; min-width: min(640px, 100%); } .totals tfoot th, .totals tfoot td { font-weight: 600; border-bottom: 0; }
.controls { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin: 0 0 8px; }
.controls label, .controls fieldset { color: var(--soft); font-size: 14px; }
.controls fieldset { display: flex; flex-wrap: wrap; gap: 4px 12px; border: 0; margin: 0; padding: 0; } .controls fieldset label { color: inherit; }
legend { float: left; padding: 0; margin-right: 12px; }
input[type="search"], select { padding: 5px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--faint); color: var(--ink); font: inherit; }
input[type="search"] { width: min(300px, 60vw); }
button { padding: 1px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--faint); color: var(--ink); font: inherit; font-size: 13px; cursor: pointer; }
thead button { padding: 0; border: 0; background: none; color: inherit; font-size: inherit; } thead button:disabled { cursor: auto; }
[aria-sort="ascending"] button::after { content: " ↑"; } [aria-sort="descending"] button::after { content: " ↓"; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.cases { table-layout: fixed; } .cases td, .cases th { overflow-wrap: anywhere; } .cases tbody th { color: var(--ink); }
.cases col.status { width: 108px; } .cases col.ratio { width: 118px; } .cases col.limit { width: 25%; } .cases col.time { width: 92px; }
.status { font-weight: 600; } .id { font-weight: 600; } .claim, .limit { color: var(--soft); font-size: 13px; }
.message { display: block; margin-top: 2px; }
details { font-size: 13px; } summary { color: var(--blue); cursor: pointer; width: max-content; }
details p { margin: 2px 0; } code { font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.rerun { display: flex; gap: 8px; align-items: flex-start; } .rerun code { flex: 1; padding: 3px 8px; border-radius: 6px; background: var(--faint); color: var(--ink); }
[hidden] { display: none !important; }
@media (max-width: 760px) {
  main { padding: 24px 14px 48px; }
  .cases, .cases tbody, .cases tr, .cases th, .cases td { display: block; width: 100%; }
  .cases colgroup { display: none; }
  .cases thead tr { display: flex; flex-wrap: wrap; gap: 0 14px; } .cases thead th { width: auto; border: 0; }
  .cases tbody tr { padding: 8px 0; border-bottom: 1px solid var(--line); }
  .cases tbody th, .cases tbody td { padding: 0; border: 0; text-align: left; }
  .cases tbody td[data-label]:not(:empty)::before { content: attr(data-label) ": "; color: var(--soft); font-weight: normal; }
}
`;
