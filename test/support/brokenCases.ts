import type { ConformanceReport } from '@flow-matching/conformance';

/** What did not pass, with why: what a failing test shows. */
export const brokenCases = ({ results }: ConformanceReport): string[] =>
  results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id, message }) => `${id}: ${message}`);
