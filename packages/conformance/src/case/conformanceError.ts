import { FlowMatchingError, type ErrorDetails } from '@flow-matching/tensor';

/** A claim of the suite does not hold. */
export class ConformanceError extends FlowMatchingError {
  constructor(problem: string, details?: ErrorDetails) {
    super('FM_CONFORMANCE', problem, details);
  }
}

/** Throws a ConformanceError unless `condition` holds. */
export function claim(condition: boolean, problem: string, details?: ErrorDetails): asserts condition {
  if (!condition) throw new ConformanceError(problem, details);
}
