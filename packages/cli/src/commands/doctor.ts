import { execFile } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { deviceProbes, type ProbeResult } from '../container/deviceProbes.ts';
import { probeDevice } from '../container/probeDevice.ts';
import { versions } from '../run/environment.ts';
import { formatTable } from '../terminal/formatTable.ts';
import type { CommandContext } from './cliCommand.ts';

interface DoctorOptions {
  readonly probe?: string;
}

const run = promisify(execFile);

/** Milliseconds after which a device counts as stuck. */
const timeoutMs = 60_000;

export async function doctor({ output, root }: CommandContext, _: [], { probe }: DoctorOptions): Promise<void> {
  if (probe !== undefined) {
    const result = await probeDevice(root, deviceProbes[Number(probe)]);
    output.result('', result);
    return;
  }
  const progress = output.progress('probe', deviceProbes.length);
  let done = 0;
  const results = await Promise.all(
    deviceProbes.map(async (_, index) => {
      const result = await probeIsolated(index);
      progress.update(++done);
      return result;
    }),
  );
  output.endProgress();
  const machine = {
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  const rows = results.map(({ backend, device, works, detail }) => [works ? 'works' : 'no', backend, device, detail]);
  const missing = results.flatMap((result, i) =>
    result.works ? [] : [`  ${result.backend} on ${result.device}: ${deviceProbes[i].enable}`],
  );
  const notes = results.flatMap(({ backend, device, note }) =>
    note === undefined ? [] : [`  ${backend} on ${device}: ${note}`],
  );
  output.result(
    [
      formatTable(rows),
      ...(notes.length > 0 ? ['', 'Operators without a kernel:', ...notes] : []),
      ...(missing.length > 0 ? ['', 'To enable the others:', ...missing] : []),
      '',
      formatTable([
        ['machine', `${machine.platform}, ${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB`],
        ...Object.entries(versions()).map(([name, version]) => [name, version]),
      ]),
    ].join('\n'),
    {
      devices: results.map((result, i) =>
        result.works ? result : Object.assign({ enable: deviceProbes[i].enable }, result),
      ),
      machine,
      versions: versions(),
    },
  );
}

/** In a separate process, because a failing driver may crash its process. */
async function probeIsolated(index: number): Promise<ProbeResult> {
  const { backend, device } = deviceProbes[index];
  try {
    const { stdout } = await run(
      process.execPath,
      [...process.execArgv, process.argv[1], 'doctor', '--json', '--quiet', '--probe', String(index)],
      { timeout: timeoutMs },
    );
    return JSON.parse(stdout) as ProbeResult;
  } catch (error) {
    const { signal, killed, stdout } = error as { signal?: string; killed?: boolean; stdout?: string };
    const detail = killed
      ? `no answer within ${timeoutMs / 1000} s`
      : signal
        ? `its process was ended by ${signal}`
        : (messageIn(stdout) ?? (error as Error).message);
    return { backend, device, works: false, detail: detail.split('\n')[0] };
  }
}

function messageIn(stdout: string | undefined): string | undefined {
  try {
    return (JSON.parse(stdout ?? '') as { error: { message: string } }).error.message;
  } catch {
    return undefined;
  }
}
