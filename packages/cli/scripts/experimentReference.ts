import { pluginKinds, PluginRegistry, type PluginKind } from '@flow-matching/core';
import { Command } from 'commander';
import { commands } from '../src/commands/usage/index.ts';
import { createRootContainer } from '../src/container/createRootContainer.ts';
import { experimentKeys } from '../src/experiment/experimentKeys.ts';
import { optionsOf, writtenDefault, type OptionDescription } from '../src/experiment/pluginOptions.ts';

/** docs/reference/experiment.md, from the schemas and the command line as they are. */
export function experimentReference(): string {
  const registry = new PluginRegistry(createRootContainer());
  const kinds = pluginKinds.map((kind) => [
    `### ${titles[kind]}`,
    ...registry.list(kind).flatMap((plugin) => {
      const options = optionsOf(plugin);
      return [`\`${plugin.pluginName}\` – ${plugin.summary}.`, ...(options.length > 0 ? [optionTable(options)] : [])];
    }),
  ]);
  return [
    introduction,
    '## Keys',
    optionTable(experimentKeys()),
    plugins,
    ...kinds.flat(),
    runDirectory,
    '## Commands',
    'Every command takes `--json` (print one JSON document on stdout), `--quiet` (print no progress and no notes) and `--help`.',
    ...commands.flatMap((definition) => {
      const command = definition.configure(new Command(definition.name));
      const usage = `flow-matching ${definition.name} ${command.usage().replace('[options]', '').trim()}`.trim();
      const options = command.options.filter(({ hidden }) => !hidden);
      return [
        `### \`${usage}\``,
        command.description(),
        ...(options.length > 0
          ? [
              table(
                ['Option', 'Default', 'Meaning'],
                options.map(({ flags, description, defaultValue, negate }) => [
                  `\`${flags}\``,
                  defaultValue === undefined || negate ? '' : `\`${String(defaultValue)}\``,
                  description,
                ]),
              ),
            ]
          : []),
      ];
    }),
  ]
    .join('\n\n')
    .concat('\n');
}

const titles: Readonly<Record<PluginKind, string>> = {
  dataset: 'Data sets',
  path: 'Paths',
  coupling: 'Couplings',
  objective: 'Objectives',
  timeSampler: 'Time samplers',
  model: 'Models',
  optimizer: 'Optimizers',
  schedule: 'Schedules',
  solver: 'Solvers',
  estimator: 'Metrics',
  backend: 'Backends',
};

const introduction = `# Experiment files

<!-- Written by npm run docs:reference. Edit the descriptions in the sources instead. -->

An experiment is a YAML file, a JSON file, or a JavaScript module that exports the same by default. Only \`data\` is required. A part is the
name of a plugin, or a record with its name and options:

\`\`\`yaml
# yaml-language-server: $schema=experiment.schema.json
data: { name: points, file: points.csv, heldOut: 0.1 }
path: optimal-transport
model: { name: mlp, width: 256 }
optimizer: { name: adam, learningRate: 1.0e-3, schedule: { name: cosine, warmup: 200 } }
training: { steps: 10000, checkpointEvery: 2000, ema: 0.999 }
\`\`\`

With the first line, editors that know YAML schemas (VS Code with its YAML extension, and others) complete and check the file as you type and
show these descriptions. \`npx flow-matching schema > experiment.schema.json\` writes the schema. \`npx flow-matching plugins\` prints the lists
below for the version that is installed. \`--set\` changes a setting on the command line: \`--set training.steps=500 model.width=128\`.`;

const plugins = `## Plugins

What each part can be. Numbers that have a unit are in the data's own. \`schedule\` is an option of the optimizers; metrics are what
\`flow-matching evaluate --metric\` measures.`;

const runDirectory = `## Run directories

\`flow-matching train\` keeps everything about a run in one directory, by default \`runs/NAME-1\`, \`-2\` and so on.

| File                           | What it holds                                                                                                   |
| ------------------------------ | --------------------------------------------------------------------------------------------------------------- |
| \`experiment.yaml\`              | the experiment with every default filled in, and under \`environment\` the versions, backend and device it ran on |
| \`metrics.jsonl\`                | the course of the training, one JSON object per line                                                            |
| \`checkpoints/STEP.safetensors\` | parameters, optimizer state and moving average after STEP updates                                               |
| \`checkpoints/latest\`           | the name of the newest checkpoint                                                                               |
| \`samples.png\`                  | samples beside data                                                                                             |
| \`report.html\`                  | the report: scores, loss curve, samples, trajectories                                                           |
| \`results.json\`                 | the scores of the report                                                                                        |
| \`lock\`                         | the process that is training; removed when it ends                                                              |

A line of \`metrics.jsonl\`:

| Key            | Meaning                                                               |
| -------------- | --------------------------------------------------------------------- |
| \`step\`         | updates so far                                                        |
| \`loss\`         | mean loss of the updates since the line before                        |
| \`gradientNorm\` | Euclidean norm of the last gradient                                   |
| \`learningRate\` | learning rate of the last update                                      |
| \`skipped\`      | updates skipped so far because their gradient was not finite          |
| \`seconds\`      | seconds of training so far, those before an interruption included     |

\`results.json\`; what cannot be computed for the data or the path is absent:

| Key                               | Meaning                                                                              |
| --------------------------------- | ------------------------------------------------------------------------------------ |
| \`run\`, \`step\`, \`trainingSeconds\`  | the run directory, the number of updates, and how long they took                     |
| \`count\`                           | samples drawn                                                                        |
| \`nll\`, \`nllStandardError\`         | mean negative log-likelihood of held-out points in nats, and its standard error      |
| \`nllFunctionEvaluations\`          | evaluations of the field per point for the likelihood                                |
| \`entropy\`, \`nllAboveEntropy\`      | entropy of the data in nats, and how far the likelihood is from it                   |
| \`inSupport\`                       | fraction of samples where the data's density is positive                             |
| \`functionEvaluations\`             | evaluations of the field per sample                                                  |
| \`samplingSeconds\`, \`scoringSeconds\` | time to draw the samples and to score the points                                   |`;

function optionTable(options: readonly OptionDescription[]): string {
  return table(
    ['Option', 'Type', 'Default', 'Meaning'],
    options.map(({ name, type, required, description = '', ...option }) => [
      `\`${name}\``,
      type,
      required ? 'required' : option.default === undefined ? '' : `\`${writtenDefault(option.default)}\``,
      description,
    ]),
  );
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`)
    .join('\n');
