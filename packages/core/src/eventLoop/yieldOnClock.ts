export interface YieldOptions {
  /** Milliseconds of work between two turns of the event loop. Default 16, a frame of a page. */
  readonly every?: number;
  /** A clock in milliseconds. */
  readonly now?: () => number;
  /** Resolves in the event loop's next turn, after timers, signals and input had theirs. */
  readonly turn?: () => Promise<void>;
}

/**
 * A function for long loops to call often: it returns a promise of the event loop's next turn when work has gone on for long enough,
 * and nothing otherwise.
 *
 * Awaiting a promise that is resolved already does not let timers and signals in, so a loop over a backend that computes at once would
 * keep them waiting to its end. Callers at the same time wait for the same turn.
 */
export function yieldOnClock({ every = 16, now = () => performance.now(), turn = nextTurn }: YieldOptions = {}): () =>
  Promise<void> | undefined {
  let last = now();
  let pending: Promise<void> | undefined;
  return () => {
    if (pending) return pending;
    if (now() - last < every) return undefined;
    return (pending = turn().then(() => {
      pending = undefined;
      last = now();
    }));
  };
}

/** The clock that all loops of this thread share: `await yieldToEventLoop()` in each of them. */
export const yieldToEventLoop = yieldOnClock();

interface Scheduling {
  readonly setImmediate?: (callback: () => void) => unknown;
}

/** A macrotask without the milliseconds that browsers add to timers. */
function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as Scheduling;
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const done = (): void => {
      port1.close();
      resolve();
    };
    port1.addEventListener('message', done, { once: true });
    port1.start();
    port2.postMessage(undefined);
  });
}
