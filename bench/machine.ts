import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Without it a number means nothing. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
  /** Share of the processors' time that others took during a second before the start. */
  readonly busy: number;
  readonly load: number;
}

export async function describeMachine(): Promise<Machine> {
  return {
    processor: processorName(),
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemName()}, ${platform()} ${release()} ${arch()}`,
    versions: { node: process.versions.node, 'onnxruntime-node': runtimeVersion() },
    date: new Date().toISOString(),
    busy: await busyShare(),
    load: loadavg()[0],
  };
}

export function formatMachine({
  processor,
  processors,
  memoryGiB,
  system,
  versions,
  date,
  busy,
  load,
}: Machine): string {
  const listed = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${processor}, ${processors} processors, ${memoryGiB} GiB; ${system}`,
    `${listed.join(', ')}; ${date}`,
    `Before the start others kept the processors ${(busy * 100).toFixed(0)} % busy (load ${load.toFixed(2)}).${busy > 0.05 ? ' The timings below are not to be relied on.' : ''}`,
  ].join('\n');
}

function processorName(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  if (!existsSync('/proc/cpuinfo')) return model;
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1];
  const vectors = ['avx512f', 'avx2', 'asimd'].find((flag) =>
    (field('flags') ?? field('Features') ?? '').includes(flag),
  );
  const family = field('cpu family');
  const details = [family && `family ${family} model ${field('model')}`, vectors].filter(Boolean);
  return details.length > 0 ? `${model} (${details.join(', ')})` : model;
}

function systemName(): string {
  if (!existsSync('/etc/os-release')) return platform();
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? platform();
}

/** Of the copy that the backend loads. */
function runtimeVersion(): string {
  const require = createRequire(new URL('../packages/backend-onnx/package.json', import.meta.url));
  return (require('onnxruntime-node/package.json') as { version: string }).version;
}

async function busyShare(): Promise<number> {
  const before = processorTimes();
  await sleep(1000);
  const after = processorTimes();
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}

/** Milliseconds since the machine started, over all processors. */
function processorTimes(): { busy: number; all: number } {
  const times = cpus().map(({ times }) => times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}
