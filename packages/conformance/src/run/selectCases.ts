import { OptionError } from '@flow-matching/tensor';
import type { ConformanceCase } from '../case/conformanceCase.ts';
import type { Level } from '../case/level.ts';

export interface Selection {
  /** Part of an id. */
  readonly filter?: string | undefined;
  readonly levels?: readonly Level[] | undefined;
}

/** @throws OptionError if no cases are left: an empty run would pass. */
export function selectCases(
  cases: readonly ConformanceCase[],
  { filter = '', levels }: Selection,
): readonly ConformanceCase[] {
  // A complete id selects one case, even if it is a prefix of others.
  const named = cases.filter(({ id }) => id === filter);
  const chosen = (named.length > 0 ? named : cases.filter(({ id }) => id.includes(filter))).filter(
    ({ level }) => !levels || levels.includes(level),
  );
  if (chosen.length > 0) return chosen;
  throw new OptionError('No case is selected.', {
    actual: { filter, levels },
    expected: `part of one of ${cases.length} ids, such as ${cases[0]?.id ?? 'none'}`,
  });
}
