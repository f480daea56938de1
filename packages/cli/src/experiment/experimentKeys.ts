import { frameSchema, partNames, parts, type PartName } from './experiment.ts';
import { describeOptions, type OptionDescription } from './pluginOptions.ts';

const isPart = (name: string): name is PartName => (partNames as readonly string[]).includes(name);

/** The keys of an experiment file: the parts by the kind of plugin that supplies them, the settings of the training dotted. */
export function experimentKeys(): OptionDescription[] {
  const { training, environment: _, ...rest } = frameSchema.shape;
  return Object.keys({ ...rest, training }).flatMap((name) => {
    if (name === 'training')
      return describeOptions(training.unwrap()).map((option) =>
        Object.assign(option, { name: `training.${option.name}` }),
      );
    return describeOptions(frameSchema.pick({ [name]: true } as never)).map((option) =>
      isPart(name) ? partKey(option, name) : option,
    );
  });
}

function partKey(option: OptionDescription, name: PartName): OptionDescription {
  const { kind, fallback } = parts[name];
  return {
    ...option,
    type: kind,
    required: fallback === undefined,
    ...(fallback !== undefined && { default: { name: fallback } }),
  };
}
