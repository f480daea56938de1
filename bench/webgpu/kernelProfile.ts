import { webgpu } from '@flow-matching/backend-webgpu/node';
import { median } from '../statistics.ts';
import { formatTable } from '../table.ts';
import { backendContestant } from './backendContestant.ts';
import { GraphRecorder } from './graphRecorder.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

const runs = 7;

// Prints the times of our kernels in each of the works that it is given as JSON. Without the option the clock is coarse.
const backend = await webgpu({ debug: true, dawn: ['disable-dawn-features=timestamp_quantization'] });
const recorder = new GraphRecorder(backend);
for (const work of JSON.parse(process.argv[2]) as WebgpuWork[]) {
  recorder.executables.length = 0;
  const prepared = await backendContestant(recorder, backend.device).prepare(work);
  // The first run is not counted: it meets cold caches.
  await prepared.run(1);
  const [executable] = recorder.executables;
  const timings: number[][] = [];
  for (let run = 0; run < runs; run++) {
    await prepared.run(1);
    timings.push(await executable.kernelTimes());
  }
  const times = executable.program.kernels.map((_, i) => median(timings.map((timing) => timing[i])));
  const total = times.reduce((sum, time) => sum + time, 0);
  const rows = executable.program.kernels.map(({ label, bytes, workgroups: [x, y] }, i) => [
    `${i} ${label}`,
    times[i].toFixed(2),
    `${((100 * times[i]) / total).toFixed(0)} %`,
    `${x * y}`,
    (bytes / 2 ** 20).toFixed(2),
  ]);
  const header = [`${work.title}: ${total.toFixed(1)} ms in kernels`, 'ms', 'share', 'workgroups', 'MiB'];
  console.log(`${formatTable(header, rows)}\n`);
  await prepared.release();
}
// Dawn ends more quietly at once than in order.
process.exit(0);
