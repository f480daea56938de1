import { oneLine } from '@flow-matching/tensor';
import type { Training } from '@flow-matching/core';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { CommandContext } from '../commands/cliCommand.ts';
import type { RunOptions } from '../commands/runOptions.ts';
import { InterruptedError, RunError } from '../errors.ts';
import { loadExperiment, type AssembledExperiment, type LoadedExperiment } from '../experiment/assembleExperiment.ts';
import { experimentHash, firstDifference } from '../experiment/experimentHash.ts';
import { reportRun } from '../report/reportRun.ts';
import { formatNumber } from '../terminal/formatTable.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import { formatSeconds } from '../terminal/progress.ts';
import { environmentOf } from './environment.ts';
import { latestCheckpoint, type PassedOver } from './latestCheckpoint.ts';
import { loadParameters } from './loadParameters.ts';
import { MetricsLog, readMetrics } from './metricsLog.ts';
import type { RunDirectory } from './runDirectory.ts';
import { RunLock } from './runLock.ts';
import { checkExperimentRecord, checkFileRecords } from './runRecord.ts';

export interface TrainRunRequest {
  readonly context: CommandContext;
  readonly loaded: LoadedExperiment;
  readonly assembled: AssembledExperiment;
  readonly run: RunDirectory;
  readonly resume: boolean;
  readonly strict: RunOptions['strict'];
  readonly force: RunOptions['force'];
  /** Sample, score and write the report at the end. */
  readonly report: boolean;
}

/** The state a training starts from. */
interface Start {
  /** The last checkpoint of the run, if any. */
  readonly checkpoint: Checkpoint | undefined;
  /** Events of the resume for metrics.jsonl. */
  readonly passedOver: readonly PassedOver[];
  /** Hash of the experiment, which checkpoints record. */
  readonly hash: string;
}

/** Trains in a run directory, from the start or its last checkpoint, until the end or the first interrupt. */
export async function trainRun(request: TrainRunRequest): Promise<void> {
  const { context, loaded, assembled, run, resume, report } = request;
  const { output } = context;
  const { experiment } = loaded;
  await run.prepare();
  await using lock = await RunLock.acquire(run.lockFile, run.path);
  using interrupts = new Interrupts(output, 'Stopping after this step. Press Ctrl-C again to end at once.');
  const start: Start =
    resume && run.hasExperiment
      ? await resumable(request)
      : { checkpoint: undefined, passedOver: [], hash: experimentHash(experiment) };
  const { checkpoint, hash } = start;
  const files = Object.fromEntries(loaded.files);
  await run.saveExperiment(loaded, { hash, files, ...environmentOf(assembled.backend) });
  await run.checkpoints.removeLeftovers();

  const { steps } = experiment.training;
  const from = checkpoint
    ? `, resumed at step ${formatNumber(checkpoint.state.step)}`
    : resume
      ? ', from the start: there is no checkpoint yet'
      : '';
  output.note(
    `${experiment.name} → ${oneLine(run.path)} (${assembled.backend.name}: ${assembled.backend.device})${from}`,
  );
  if (checkpoint && checkpoint.state.step >= steps)
    loadParameters(assembled, checkpoint, run.checkpoints.path(checkpoint.state.step));
  else await trainFrom(request, start, { lock, signal: interrupts.signal });
  await verifyRun(run, lock);

  if (!report) {
    output.result(`Trained ${formatNumber(steps)} steps in ${oneLine(run.path)}`, { run: run.path, step: steps });
    return;
  }
  try {
    await reportRun({ output, assembled, run, step: steps, signal: interrupts.signal });
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      await verifyRun(run, lock);
      throw error;
    }
    throw new InterruptedError(
      `Interrupted while scoring; the training itself is complete and saved in ${oneLine(run.path)}.`,
      {
        remedy: `Continue with: ${run.resumeCommand}`,
      },
    );
  }
}

/** @throws RunError if the run's directory was removed or taken over by another training. */
async function verifyRun(run: RunDirectory, lock: RunLock): Promise<void> {
  if (!run.hasExperiment)
    throw new RunError(`The run directory ${oneLine(run.path)} was removed while it was in use.`, {
      actual: run.path,
      expected: 'the directory in which the training started',
      remedy: 'Train again.',
    });
  await lock.verify();
}

/**
 * The last checkpoint of a run of the same experiment and the same data.
 *
 * @throws RunError for another experiment or other data, CheckpointError for a foreign checkpoint.
 */
async function resumable({
  context: { root, output },
  run,
  loaded: { experiment, files },
  strict,
  force,
}: TrainRunRequest): Promise<Start> {
  await checkExperimentRecord(run, { output, force });
  const otherExperiment = (key: string, values: readonly unknown[]): RunError => {
    const [there, here] = values.map((value) => (value === undefined ? 'absent' : JSON.stringify(value)));
    return new RunError(
      `${oneLine(run.path)} is a run of another experiment: ${key} is ${there} there and ${here} here.`,
      {
        actual: { key, values },
        remedy: `Resume it unchanged with '${run.resumeCommand}', or name another directory with --run.`,
      },
    );
  };
  const saved = await loadExperiment(root, run.experimentFile, [], (plugins) => {
    // Plugins named by the user's own file are already loaded; nothing else is run.
    if (plugins.some((plugin) => !experiment.plugins.includes(plugin)))
      throw otherExperiment('plugins', [plugins, experiment.plugins]);
  });
  const difference = firstDifference(saved.experiment, experiment);
  if (difference) throw otherExperiment(difference.key, difference.values);
  checkFileRecords(run, saved.environment.files, files, { output, force });
  const hash = saved.environment.hash ?? experimentHash(experiment);
  const latest = await latestCheckpoint(run, { output, hash, strict });
  if (latest.checkpoint && saved.environment.backend !== experiment.backend.name)
    output.warn(
      `This run began on backend ${saved.environment.backend}: on ${experiment.backend.name} its numbers will differ in the last bits.`,
    );
  return { ...latest, hash };
}

async function trainFrom(
  { context: { output }, assembled, run }: TrainRunRequest,
  { checkpoint, passedOver, hash }: Start,
  { lock, signal }: { readonly lock: RunLock; readonly signal: AbortSignal },
): Promise<void> {
  const { experiment, flow, data } = assembled;
  const { steps, checkpointEvery } = experiment.training;
  const training = await flow.begin(data, { ...assembled.training, signal, resume: checkpoint?.state });
  try {
    const warn = (text: string): void => output.warn(text);
    await using metrics = await MetricsLog.open(run.metricsFile, training.step, warn);
    const secondsBefore = (await readMetrics(run.metricsFile, warn)).at(-1)?.seconds ?? 0;
    for (const event of passedOver) await metrics.append({ step: training.step, ...event });
    let saved = training.step;
    const save = async (): Promise<void> => {
      await verifyRun(run, lock);
      await run.checkpoints.save({
        state: await training.state(),
        seed: experiment.seed,
        experiment: hash,
        context: training.context,
      });
      saved = training.step;
    };
    const progress = output.progress('train', steps);
    progress.update(training.step);
    try {
      for await (const { steps: _, ...report } of training) {
        await verifyRun(run, lock);
        await metrics.append({ ...report, seconds: secondsBefore + report.seconds });
        progress.update(
          report.step,
          `loss ${report.loss.toFixed(4)}${report.skipped > 0 ? `  ${report.skipped} updates skipped` : ''}`,
        );
        if (report.step % checkpointEvery === 0 || report.step === steps) await save();
      }
      if (training.step < steps && training.step > saved) await save();
    } catch (error) {
      // If the directory was removed, the error would only name a file in it.
      await verifyRun(run, lock);
      throw withLastCheckpoint(error, run, saved);
    } finally {
      output.endProgress();
    }
    if (training.step < steps) {
      const kept = saved > 0 ? `step ${formatNumber(saved)} is saved in ${oneLine(run.path)}` : 'before the first step';
      throw new InterruptedError(`Interrupted: ${kept}.`, {
        actual: training.step,
        remedy: `Continue with: ${run.resumeCommand}`,
      });
    }
    const seconds = (await readMetrics(run.metricsFile, warn)).at(-1)?.seconds ?? 0;
    output.note(`Trained ${formatNumber(steps)} steps in ${formatSeconds(seconds)}`);
    await flow.adopt(training);
  } finally {
    await disposeQuietly(training);
  }
}

/** The error, with the checkpoint to continue from. */
function withLastCheckpoint(error: unknown, run: RunDirectory, saved: number): unknown {
  if (!(error instanceof Error) || !run.hasExperiment) return error;
  error.message +=
    saved > 0
      ? `\nThe last good checkpoint is ${oneLine(run.checkpoints.path(saved))}.`
      : '\nThere is no checkpoint yet.';
  return error;
}

/** The user should see the earlier error. */
async function disposeQuietly(training: Training): Promise<void> {
  await training.dispose().catch(() => {});
}
