import { yieldToEventLoop } from './yieldOnClock.ts';

/** A long computation that pauses now and then, so that the event loop can turn. Nothing is passed in or out at the pauses. */
export type Stepwise<Result> = Generator<undefined, Result, undefined>;

/** Runs to the end synchronously. */
export function finishNow<Result>(steps: Stepwise<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Runs to the end, letting the event loop turn at regular intervals.
 *
 * @throws the abort reason if `signal` fires meanwhile.
 */
export async function finishOnClock<Result>(steps: Stepwise<Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    const turn = yieldToEventLoop();
    if (!turn) continue;
    await turn;
    signal?.throwIfAborted();
  }
}
