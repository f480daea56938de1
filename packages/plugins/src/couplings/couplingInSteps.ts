import type { Coupling, CouplingRequest } from '@flow-matching/core';
import { finishOnClock, type Stepwise } from '@flow-matching/tensor';

/** A coupling whose pairings yield to the event loop regularly and end if the request's signal is aborted. */
export const couplingInSteps = (name: string, pair: (request: CouplingRequest) => Stepwise<Int32Array>): Coupling => ({
  name,
  pair: (request) => finishOnClock(pair(request), request.signal),
});
