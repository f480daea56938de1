import { Presets, SingleBar } from 'cli-progress';
import { escapeName } from './escapeControls.ts';
import { writeText } from './surroundings.ts';

export interface Progress {
  /** `info` is extra information, such as the loss. */
  update(done: number, info?: string): void;
  /** Makes room for a line of text. */
  clear(): void;
  end(): void;
}

export const silentProgress: Progress = { update() {}, clear() {}, end() {} };

const two = (part: number): string => String(part).padStart(2, '0');

/** Seconds as `4.5 s`, `45 s`, `3:07` or `2:05:09`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The remaining time, estimated from the progress since the start; empty while unknown. */
function remaining(): (done: number, total: number) => string {
  const began = performance.now();
  let first: number | undefined;
  return (done, total) => {
    first ??= done;
    if (done === first || done >= total) return '';
    return `${formatSeconds(Math.ceil(((performance.now() - began) / 1000 / (done - first)) * (total - done)))} left`;
  };
}

/** A bar that is redrawn in one line. */
export function barProgress(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  const left = remaining();
  const bar = new SingleBar(
    {
      stream,
      format: `${escapeName(title).padEnd(8)} {bar} {percentage} %  {count}  {left}  {info}`,
      barsize: 24,
      fps: 10,
      gracefulExit: false,
      emptyOnZero: true,
    },
    Presets.shades_grey,
  );
  bar.start(total, 0, { info: '', left: '', count: `0/${total}` });
  return {
    update: (done, info = '') => {
      const whole = Math.min(total, Math.floor(done));
      bar.update(whole, { info: escapeName(info), count: `${whole}/${total}`, left: left(whole, total) });
    },
    clear: () => {
      stream.cursorTo(0);
      stream.clearLine(0);
    },
    end: () => {
      bar.stop();
    },
  };
}

/** Milliseconds between two lines. */
const lineInterval = 2000;

/** Lines for logs and pipes: at most one every two seconds. */
export function lineProgress(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  let shown = performance.now();
  let ended = false;
  const left = remaining();
  return {
    update(done, info = '') {
      const now = performance.now();
      const rest = left(done, total);
      if (ended || (now - shown < lineInterval && done < total)) return;
      shown = now;
      ended = done >= total;
      writeText(stream, `${[`${title} ${Math.floor(done)}/${total}`, rest, info].filter(Boolean).join('  ')}\n`);
    },
    clear() {},
    end() {},
  };
}
