import type { HostArray } from '@flow-matching/tensor';
import { densityImage } from '../report/densityImage.ts';
import { planePoints, type Domain } from '../report/domain.ts';
import { image } from '../report/svg.ts';
import { trajectoryLines } from '../report/trajectoryLines.ts';
import { comparedSolver, type Measurement } from './measureRun.ts';
import { panelGrid, type Panel, type PanelRow } from './panelGrid.ts';
import { pictured } from './samplingCost.ts';

/** Number of particles whose trajectories are drawn. */
const particles = 80;
/** Fractions of the path's interval at which samples are shown. */
const moments = [0, 0.25, 0.5, 0.75, 1];

/** Trajectories of some particles, and the positions of all particles at some times: one row per run, from the same noise. */
export function trajectoriesFigure(measurements: readonly Measurement[], domain: Domain): string {
  const rows = measurements.flatMap((measurement): PanelRow[] => {
    const { trajectories } = measurement;
    if (!trajectories) return [];
    const at = moments.map((moment) => Math.round(moment * (trajectories.times.length - 1)));
    const drawn = firstOf(trajectories.trajectory, particles);
    return [
      {
        ...namesOf(measurement),
        panels: [
          (x, y) => `<g class="small">${trajectoryLines(drawn, x, y)}</g>`,
          ...at.map((point) => cloud(pointsAt(trajectories.trajectory, point), domain)),
        ],
      },
    ];
  });
  const columns = [
    `trajectories of ${particles} particles`,
    ...moments.map((moment) => (moment === 0 ? 't = 0 (noise)' : moment === 1 ? 't = 1 (samples)' : `t = ${moment}`)),
  ];
  return panelGrid('Trajectories from the same noise', columns, rows, domain);
}

/** Samples with few evaluations (figure 4 of the paper, right): one row per run. */
export function fewEvaluationsFigure(measurements: readonly Measurement[], domain: Domain): string {
  const rows = measurements.map((measurement): PanelRow => {
    const { cost, samples } = measurement;
    const few = pictured.budgets.map(
      (budget) => cost?.few.find((each) => each.functionEvaluations === budget)?.samples,
    );
    const shown = few.find(Boolean)?.shape[0];
    const fine = samples && shown !== undefined ? firstOf(samples, shown) : samples;
    return {
      ...namesOf(measurement),
      panels: [...few, fine].map((points) => points && cloud(planePoints(points), domain)),
    };
  });
  const columns = [
    ...pictured.budgets.map((budget) => `${pictured.solver}, NFE ${budget}`),
    `${comparedSolver.name}, tolerance 10⁻⁵`,
  ];
  return panelGrid('Samples of few evaluations', columns, rows, domain);
}

const namesOf = ({ label, path, objective }: Measurement): Pick<PanelRow, 'label' | 'note'> => ({
  label,
  note: `${path}, ${objective}`,
});

/** Points drawn as ink; few shades keep the file small. */
const cloud =
  (points: Float32Array, domain: Domain): Panel =>
  (x, y, side) => {
    const pixels = Math.round(1.4 * side);
    return image(densityImage(points, domain, pixels, 16), x(domain.x[0]), y(domain.y[1]), side, side);
  };

function firstOf({ data, shape, dtype }: HostArray, count: number): HostArray {
  const kept = Math.min(count, shape[0]);
  return { data: data.subarray(0, (data.length / shape[0]) * kept), shape: [kept, ...shape.slice(1)], dtype };
}

/** The positions of all particles at one of the kept times, as pairs. */
function pointsAt({ data, shape: [count, points, width], dtype }: HostArray, point: number): Float32Array {
  const there = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const from = (i * points + point) * width;
    there.set(data.subarray(from, from + width), i * width);
  }
  return planePoints({ data: there, shape: [count, width], dtype });
}
