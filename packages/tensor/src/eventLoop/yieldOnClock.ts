export interface YieldOptions {
  /** Milliseconds of work between two turns of the event loop. Default 16, one frame of a page. */
  readonly every?: number;
  /** A clock in milliseconds. */
  readonly now?: () => number;
  /** Resolves in the next turn of the event loop, after timers, signals and input were handled. */
  readonly turn?: () => Promise<void>;
}

/**
 * A function for long loops to call often: it returns a promise for the next turn of the event loop if enough time has passed,
 * and `undefined` otherwise.
 *
 * Awaiting a resolved promise does not let timers and signals run, so a loop over a backend that computes synchronously would
 * block them until it ends. Concurrent callers wait for the same turn.
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
