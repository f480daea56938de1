import { createReferenceBackend, type Backend } from '@flow-matching/tensor';
import { runConformance, type ConformanceCase } from '@flow-matching/conformance';

/** Ids by status of a run on a backend, the reference by default. */
export async function idsByStatus(
  cases: readonly ConformanceCase[],
  create: () => Backend = createReferenceBackend,
): Promise<{ passed: string[]; broken: string[] }> {
  const { results } = await runConformance(create, { cases });
  const ids = (passes: boolean): string[] =>
    results.filter(({ status }) => (status === 'pass') === passes).map(({ id }) => id);
  return { passed: ids(true), broken: ids(false) };
}
