import { hostArray } from '@flow-matching/tensor';
import { expect } from 'chai';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { expectEscaped, structureOf } from '../../../test/support/markup.ts';
import { compareHtml } from '../src/compare/compareHtml.ts';
import { costFigure } from '../src/compare/costFigure.ts';
import type { Measurement } from '../src/compare/measureRun.ts';
import { panelGrid } from '../src/compare/panelGrid.ts';
import { fewEvaluationsFigure, trajectoriesFigure } from '../src/compare/sampleFigures.ts';
import { figureFile } from '../src/report/figureFile.ts';
import { scatterFigure } from '../src/report/planeFigures.ts';
import { reportHtml } from '../src/report/reportHtml.ts';
import { axes } from '../src/report/svg.ts';
import { scaleLinear } from 'd3-scale';
import { inProcess, temporaryFolder } from './support/commandLine.ts';
import { tinyExperiment } from './support/tinyExperiment.ts';

const plane = { x: [-1, 1], y: [-1, 1] } as const;
const points = hostArray(Float32Array.of(0, 0, 0.5, 0.5), [2, 2]);

/** A run whose texts are whatever they may be. */
const measurement = (text: (name: string) => string): Measurement => ({
  run: 'runs/a',
  label: text('label'),
  step: 1,
  path: text('path'),
  objective: text('objective'),
  samples: points,
  trajectories: { trajectory: hostArray(Float32Array.of(0, 0, 1, 1), [1, 2, 2]), times: [0, 1] },
  failures: [],
});

describe('text in pages and figures is text', () => {
  it('in every place of a report', () => {
    const names = ['title', 'subtitle', 'label', 'value', 'note', 'figure', 'caption', 'table', 'key', 'entry'];
    expectEscaped(names, (text) =>
      reportHtml({
        title: text('title'),
        subtitle: text('subtitle'),
        headlines: [{ label: text('label'), value: text('value'), note: text('note') }],
        loss: '<svg></svg>',
        figures: [{ title: text('figure'), caption: text('caption'), svg: '<svg></svg>' }],
        tables: [{ title: text('table'), rows: [[text('key'), text('entry')]] }],
      }),
    );
  });

  it('in every place of a comparison', () => {
    const names = ['title', 'subtitle', 'column', 'words', 'run', 'cell', 'remark', 'figure', 'caption'];
    expectEscaped(names, (text) =>
      compareHtml({
        title: text('title'),
        subtitle: text('subtitle'),
        table: {
          head: [text('column'), text('words')],
          rows: [[text('run'), text('cell')]],
          words: [true, false],
        },
        notes: [text('remark')],
        figures: [{ title: text('figure'), caption: text('caption'), svg: '<svg></svg>' }],
      }),
    );
  });

  it('in figures that name runs, paths and objectives', () => {
    const names = ['label', 'path', 'objective'];
    expectEscaped(names, (text) => figureFile(costFigure([measurement(text)])));
    expectEscaped(names, (text) => figureFile(trajectoriesFigure([measurement(text)], plane)));
    expectEscaped(names, (text) => figureFile(fewEvaluationsFigure([measurement(text)], plane)));
  });

  it('in the parts that figures are made of', () => {
    expectEscaped(['figure'], (text) => scatterFigure(text('figure'), points, plane));
    expectEscaped(['column', 'row', 'note'], (text) =>
      panelGrid('Panels', [text('column')], [{ label: text('row'), note: text('note'), panels: [undefined] }], plane),
    );
    const frame = { width: 90, height: 90, left: 30, top: 0, right: 0, bottom: 20 };
    expectEscaped(['across', 'up', 'tick', 'mark'], (text) =>
      axes(frame, scaleLinear([0, 1]), scaleLinear([0, 1]), {
        xLabel: text('across'),
        yLabel: text('up'),
        xTicks: [{ value: 0, text: text('tick') }],
        yTicks: [{ value: 0, text: text('mark') }],
      }),
    );
  });

  describe('of a run', function () {
    this.timeout(60_000);
    const folder = temporaryFolder();

    it('whose directory and data file have names of markup', async () => {
      const rows = Array.from({ length: 40 }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)}`).join('\n');
      const pages = async (run: string, file: string): Promise<string[]> => {
        writeFileSync(folder.file(file), `${rows}\n`);
        const data = JSON.stringify({ name: 'points', file: folder.file(file), heldOut: 0.5 });
        writeFileSync(folder.file('e.yaml'), tinyExperiment.replace('data: checkerboard', `data: ${data}`));
        const trained = await inProcess('train', folder.file('e.yaml'), '--run', folder.file(run), '--quiet');
        expect(trained.status, trained.stderr).to.equal(0);
        // Runs of one name are told apart by their directories.
        const again = folder.file(`${run}-again`);
        cpSync(folder.file(run), again, { recursive: true });
        const out = folder.file('compared');
        const compared = await inProcess('compare', folder.file(run), again, '--count', '8', '--quiet', '--out', out);
        expect(compared.status, compared.stderr).to.equal(0);
        return [folder.file(`${run}/report.html`), `${out}/compare.html`].map((path) => readFileSync(path, 'utf8'));
      };
      const plain = await pages('a', 'a.csv');
      const odd = await pages('<i>it<i> & "b"', `<img src='x'>&".csv`);
      expect(odd.map(structureOf)).to.deep.equal(plain.map(structureOf));
      for (const page of odd) expect(page).to.include('&#60;i&#62;it&#60;i&#62; &#38; &#34;b&#34;');
      expect(odd[0]).to.include('&#60;img src=&#39;x&#39;&#62;&#38;&#34;.csv');
    });
  });
});
