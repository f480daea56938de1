import { yieldToEventLoop } from './yieldOnClock.ts';

/** A long computation that stops now and then, so that somebody may look after other things. It neither takes nor gives anything there. */
export type Stepwise<Result> = Generator<undefined, Result, undefined>;

/** Computes to the end at once. */
export function finishNow<Result>(steps: Stepwise<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Computes to the end, letting the event loop turn on a clock.
 *
 * @throws the abort reason where `signal` fires on the way.
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
