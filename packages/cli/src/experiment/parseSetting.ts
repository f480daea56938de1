import { parse } from 'yaml';
import { UsageError } from '../errors.ts';
import type { Setting } from './experimentSource.ts';

/** `model.width=128` as a setting; the value is read as YAML. @throws UsageError for anything else. */
export function parseSetting(text: string): Setting {
  const label = `--set ${text}`;
  const [, path, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || path.split('.').includes('')) {
    throw new UsageError(`'${text}' is not a setting.`, {
      actual: text,
      expected: 'key=value, as in --set model.width=128',
      remedy: 'Put the experiment file before --set.',
    });
  }
  try {
    return { path: path.split('.'), value: parse(value) as unknown, label };
  } catch (cause) {
    throw new UsageError(`The value of ${label} is not YAML: ${(cause as Error).message.split('\n')[0]}`, {
      actual: value,
      expected: 'a number, a text, a list, …',
      cause,
    });
  }
}
