import { createHash } from 'node:crypto';
import { NumericalError, type ModelContext, type TrainingState } from '@flow-matching/core';
import { toStorage, type HostArray, oneLine } from '@flow-matching/tensor';
import * as z from 'zod';
import { CheckpointError } from '../errors.ts';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from './safetensors.ts';

/** The state of a training after a step, and the experiment it belongs to. */
export interface Checkpoint {
  readonly state: TrainingState;
  readonly seed: number;
  /** Hash of the experiment, see experimentHash. */
  readonly experiment: string;
  /** Shapes of points and conditions. */
  readonly context: ModelContext;
}

const format = 'flow-matching-checkpoint/1';
const groups = ['parameters', 'optimizer', 'ema'] as const;

/**
 * The parts of a checkpoint file: tensors `parameters.*`, `optimizer.*` and `ema.*`, everything else as metadata, with a
 * SHA-256 over all of it.
 *
 * @throws NumericalError if a value is not finite: broken states are not saved.
 */
export function encodeCheckpoint({ state, seed, experiment, context }: Checkpoint): Uint8Array[] {
  const named = groups.flatMap((group) =>
    Object.entries(state[group] ?? {}).map(([name, array]) => [`${group}.${name}`, asStored(array)] as const),
  );
  for (const [name, { data }] of named) {
    const broken = data.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0)
      throw new NumericalError(`Element ${broken} of ${name} is ${data[broken]} after step ${state.step}.`, {
        actual: data[broken],
        expected: 'finite values in a checkpoint',
      });
  }
  const wide = named
    .filter(([, { data, dtype }]) => dtype === 'f32' && data instanceof Float64Array)
    .map(([name]) => name);
  const metadata = {
    format,
    step: String(state.step),
    skipped: String(state.skipped),
    seed: String(seed),
    experiment,
    context: JSON.stringify(context),
    // f32 tensors that a backend keeps in f64.
    ...(wide.length > 0 && { wide: JSON.stringify(wide) }),
  };
  const tensors = Object.fromEntries(named);
  return encodeSafetensors({ metadata: { ...metadata, checksum: checksum({ metadata, tensors }) }, tensors });
}

/** f16 values as the file will store them: the array may not be rounded yet. */
const asStored = (array: HostArray): HostArray =>
  array.dtype === 'f16' ? { ...array, data: toStorage(array.data, 'f16') } : array;

/** @throws CheckpointError naming the file, if it is truncated, damaged or not a checkpoint of this framework. */
export function decodeCheckpoint(file: string, bytes: Uint8Array): Checkpoint {
  const { metadata, tensors } = decodeSafetensors(file, bytes);
  if (metadata['format'] !== format) {
    throw new CheckpointError(`${oneLine(file)} is a safetensors file, but not a checkpoint of a training.`, {
      actual: metadata['format'],
      expected: `metadata with format ${format}`,
    });
  }
  const { checksum: stated, ...stamped } = metadata;
  if (checksum({ metadata: stamped, tensors }) !== stated) {
    throw new CheckpointError(`${oneLine(file)} is damaged: its content does not match its checksum.`, {
      actual: stated,
      expected: 'the SHA-256 of the content',
    });
  }
  const { step, skipped, seed, experiment, context, wide } = parseMetadata(file, metadata);
  const group = (prefix: string): Record<string, HostArray> =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(`${prefix}.`))
        .map(([name, array]) => [
          name.slice(prefix.length + 1),
          wide.includes(name) ? { ...array, dtype: 'f32' } : array,
        ]),
    );
  const ema = group('ema');
  const parameters = group('parameters');
  if (Object.keys(parameters).length === 0) {
    throw new CheckpointError(`${oneLine(file)} holds no parameters.`, {
      actual: Object.keys(tensors),
      expected: "tensors named 'parameters.…'",
    });
  }
  return {
    state: {
      step,
      parameters,
      optimizer: group('optimizer'),
      ...(Object.keys(ema).length > 0 && { ema }),
      skipped,
    },
    seed,
    experiment,
    context,
  };
}

const count = z.string().regex(/^\d+$/, 'expected a whole number').transform(Number).pipe(z.int());
const shape = z.array(z.int().positive()).readonly();

/** Strings that contain JSON, parsed. */
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue('expected JSON');
        return z.NEVER;
      }
    })
    .pipe(schema);

const metadataSchema = z.object({
  step: count,
  skipped: count,
  seed: count,
  experiment: z.string(),
  context: json(z.strictObject({ shape, condition: z.record(z.string(), shape).exactOptional() })),
  wide: json(z.array(z.string())).default([]),
});

/** @throws CheckpointError naming the first missing or invalid entry. */
function parseMetadata(file: string, metadata: Safetensors['metadata']): z.output<typeof metadataSchema> {
  const parsed = metadataSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new CheckpointError(`${file}: the metadata '${path.join('.')}' is not understood.`, {
    actual: metadata[String(path[0])],
    expected: `the metadata of a training: ${message}`,
  });
}

/** Covers metadata, names, types, shapes and elements, in an order that does not depend on the file. */
function checksum({ metadata, tensors }: Safetensors): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1))));
  for (const [name, { data, shape }] of Object.entries(tensors).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, data.constructor.name, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
