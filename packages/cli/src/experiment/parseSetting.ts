import { isReservedKey } from '@flow-matching/core';
import { shorten } from '@flow-matching/tensor';
import { UsageError } from '../errors.ts';
import type { Setting } from './experimentSource.ts';
import { parsePlainYaml, type RefuseAt } from './plainYaml.ts';

/** `model.width=128` as a setting; the value is read as YAML. @throws UsageError for anything else. */
export function parseSetting(text: string): Setting {
  const label = `--set ${shorten(text)}`;
  const [, path, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || path.split('.').includes('')) {
    throw new UsageError(`'${shorten(text)}' is not a setting.`, {
      actual: text,
      expected: 'key=value, as in --set model.width=128',
      remedy: 'Put the experiment file before --set.',
    });
  }
  const reserved = path.split('.').find((step) => step === '<<' || isReservedKey(step));
  if (reserved !== undefined) {
    throw new UsageError(`${label}: '${reserved}' cannot be a key.`, {
      actual: text,
      expected: 'the path of a setting',
    });
  }
  const refuse: RefuseAt = (_, problem) => {
    throw new UsageError(`The value of ${label} is not YAML: ${problem}.`, {
      actual: value,
      expected: 'a number, a string, a list, …',
    });
  };
  return { path: path.split('.'), value: parsePlainYaml(value, refuse).toJS({ maxAliasCount: -1 }) as unknown, label };
}
