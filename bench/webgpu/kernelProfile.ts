import { dawnInstance } from '@flow-matching/backend-webgpu/node';
import { WebgpuBackend } from '@flow-matching/backend-webgpu';
import { openDevice } from '../../packages/backend-webgpu/src/runtime/openDevice.ts';
import { formatTable } from '../table.ts';
import { backendContestant } from './backendContestant.ts';
import { GraphRecorder } from './graphRecorder.ts';
import { kernelTimes } from './kernelTimes.ts';
import { programOf } from './programFacts.ts';
import type { WebgpuWork } from './webgpuWorks.ts';

const runs = 7;

// Prints the times of our kernels in each of the works that it is given as JSON. Without the option the clock is coarse.
const { device, name, profile } = await openDevice(
  await dawnInstance(['disable-dawn-features=timestamp_quantization']),
  {},
);
const recorder = new GraphRecorder(new WebgpuBackend(device, name, profile));
for (const work of JSON.parse(process.argv[2]) as WebgpuWork[]) {
  recorder.graphs.length = 0;
  const prepared = await backendContestant(recorder, name).prepare(work);
  const program = programOf(recorder.graphs[0], profile);
  const times = await kernelTimes(device, program, runs);
  const total = times.reduce((sum, time) => sum + time, 0);
  const rows = program.kernels.map(({ label, bytes, workgroups: [x, y] }, i) => [
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
