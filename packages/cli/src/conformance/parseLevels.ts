import { levels, type Level } from '@flow-matching/conformance/levels';
import { InvalidArgumentError } from 'commander';

/** `0-2`, `3` or `0,4-5` as levels. */
export function parseLevels(text: string): readonly Level[] {
  const last = levels.length - 1;
  const chosen = text.split(',').flatMap((part) => {
    const [, from, to = from] = /^(\d)(?:-(\d))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) > last || Number(from) > Number(to))
      throw new InvalidArgumentError(`Expected levels from 0 to ${last}, as in 3, 0-2 or 0,4.`);
    return levels.filter((level) => level >= Number(from) && level <= Number(to));
  });
  return [...new Set(chosen)];
}
