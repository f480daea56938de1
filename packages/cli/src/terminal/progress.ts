import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** `info` says more about the moment: the loss, … */
  update(done: number, info?: string): void;
  /** Makes room for a line of text. */
  clear(): void;
  end(): void;
}

export const silentProgress: Progress = { update() {}, clear() {}, end() {} };

/** Seconds as `45 s`, `3:07` or `2:05:09`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Estimates what is left from what was done since the start. */
function remaining(): (done: number, total: number) => number {
  const began = performance.now();
  let first: number | undefined;
  return (done, total) => {
    first ??= done;
    return ((performance.now() - began) / 1000 / (done - first)) * (total - done);
  };
}

/** A bar that is drawn over and over in one line. */
export function barProgress(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  const left = remaining();
  const bar = new SingleBar(
    { stream, format: `${title.padEnd(8)} {bar} {percentage} %  {count}  {left}  {info}`, barsize: 24, fps: 10, gracefulExit: false, emptyOnZero: true },
    Presets.rect,
  );
  bar.start(total, 0, { info: '', left: '', count: `0/${total}` });
  return {
    update: (done, info = '') => {
      const whole = Math.min(total, Math.floor(done));
      bar.update(whole, { info, count: `${whole}/${total}`, left: `${formatSeconds(left(whole, total))} left` });
    },
    clear: () => {
      stream.cursorTo(0);
      stream.clearLine(0);
    },
    end: () => {
      bar.update(bar.getProgress() * total, { left: '' });
      bar.stop();
    },
  };
}

/** Milliseconds between two lines. */
const lineInterval = 2000;

/** Lines for logs and pipes: not more than one every two seconds. */
export function lineProgress(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  let shown = performance.now();
  const left = remaining();
  return {
    update(done, info = '') {
      const now = performance.now();
      if (now - shown < lineInterval && done < total) return;
      shown = now;
      const rest = done < total ? `  ${formatSeconds(left(done, total))} left` : '';
      stream.write(`${title} ${Math.floor(done)}/${total}${rest}${info ? `  ${info}` : ''}\n`);
    },
    clear() {},
    end() {},
  };
}
