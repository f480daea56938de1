import { measureModel } from '@flow-matching/core';
import { flattenTree, FlowMatchingError, formatShape, type HostArray, oneLine } from '@flow-matching/tensor';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import type { AssembledFlow } from '../experiment/assembleExperiment.ts';

/**
 * Loads the parameters of a checkpoint into a flow, or their moving average if there is one.
 *
 * @throws CheckpointError naming the file, if names, shapes or dtypes differ from those of the experiment's model.
 */
export function loadParameters({ flow, model }: AssembledFlow, { state, context }: Checkpoint, file: string): void {
  const parameters = state.ema ?? state.parameters;
  const size = Object.values(parameters).reduce((sum, { data }) => sum + data.length, 0);
  let expected: Readonly<Record<string, HostArray>>;
  try {
    // Twice as many are enough to find the first difference.
    const measured = measureModel(model, context, 2 * size + 1024);
    expected = Object.fromEntries(flattenTree<HostArray>(measured.parameters));
  } catch (cause) {
    if (!(cause instanceof FlowMatchingError)) throw cause;
    throw new CheckpointError(`${oneLine(file)} does not hold the experiment's model: ${cause.message}`, {
      actual: size,
      cause,
    });
  }
  for (const name of new Set([...Object.keys(expected), ...Object.keys(parameters)])) {
    const [here, there] = [parameters, expected].map((arrays) => described(arrays, name));
    if (here === there) continue;
    throw new CheckpointError(
      `${oneLine(file)} does not hold the experiment's model: the parameter '${name}' is ${here}.`,
      {
        actual: here,
        expected: there,
        remedy: 'Use the experiment that it was trained with.',
      },
    );
  }
  flow.load(parameters, context);
}

const described = (arrays: Readonly<Record<string, HostArray>>, name: string): string =>
  Object.hasOwn(arrays, name) ? `${arrays[name].dtype}${formatShape(arrays[name].shape)}` : 'absent';
