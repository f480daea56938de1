import { levelTitles, selectCases, type ConformanceCase, type Level } from '@flow-matching/conformance';
import { nearestName } from '@flow-matching/core';
import { OptionError } from '@flow-matching/tensor';
import { UsageError } from '../errors.ts';

/** The requested cases. @throws UsageError if there are none, with the most similar part of an id. */
export function chooseCases(
  cases: readonly ConformanceCase[],
  filter: string | undefined,
  levels: readonly Level[] | undefined,
): readonly ConformanceCase[] {
  try {
    return selectCases(cases, { filter, levels });
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    throw new UsageError(problem(cases, filter, levels), {
      actual: { filter, levels },
      expected: 'part of the id of a case',
      remedy: 'The ids are those of: flow-matching conformance --list',
      cause,
    });
  }
}

function problem(
  cases: readonly ConformanceCase[],
  filter: string | undefined,
  levels: readonly Level[] | undefined,
): string {
  const within = levels ? ` in ${levels.map((level) => `level ${level} (${levelTitles[level]})`).join(', ')}` : '';
  if (filter === undefined) return `There is no case${within}.`;
  const nearest = nearestName(filter, partsOfIds(cases));
  return `There is no case '${filter}'${within}.${nearest === undefined ? '' : ` Did you mean '${nearest}'?`}`;
}

/** Ids, their prefixes, and the parts between slashes. */
function partsOfIds(cases: readonly ConformanceCase[]): string[] {
  const parts = cases.flatMap(({ id }) => {
    const names = id.split('/');
    return [...names, ...names.map((_, i) => names.slice(0, i + 1).join('/'))];
  });
  return [...new Set(parts)];
}
