import type { Training } from '@flow-matching/core';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { CommandContext } from '../commands/cliCommand.ts';
import { CheckpointError, InterruptedError, RunError } from '../errors.ts';
import { loadExperiment, type AssembledExperiment, type LoadedExperiment } from '../experiment/assembleExperiment.ts';
import { experimentHash, firstDifference } from '../experiment/experimentHash.ts';
import { reportRun } from '../report/reportRun.ts';
import { formatNumber } from '../terminal/formatTable.ts';
import { Interrupts } from '../terminal/interrupts.ts';
import { formatSeconds } from '../terminal/progress.ts';
import { environmentOf } from './environment.ts';
import { loadParameters } from './loadParameters.ts';
import { MetricsLog, readMetrics } from './metricsLog.ts';
import type { RunDirectory } from './runDirectory.ts';
import { RunLock } from './runLock.ts';

export interface TrainRunRequest {
  readonly context: CommandContext;
  readonly loaded: LoadedExperiment;
  readonly assembled: AssembledExperiment;
  readonly run: RunDirectory;
  readonly resume: boolean;
  /** Sample, score and write the report at the end. */
  readonly report: boolean;
}

/** Trains in a run directory, from the start or from its last checkpoint, to the end or to the first interrupt. */
export async function trainRun({ context, loaded, assembled, run, resume, report }: TrainRunRequest): Promise<void> {
  const { output } = context;
  const { experiment } = loaded;
  await run.prepare();
  await using lock = await RunLock.acquire(run.lockFile, run.path);
  void lock; // held until this function ends
  using interrupts = new Interrupts(output, 'Stopping after this step. Press Ctrl-C again to end at once.');
  const { checkpoint, hash } =
    resume && run.hasExperiment
      ? await resumable(context, run, loaded)
      : { checkpoint: undefined, hash: experimentHash(experiment) };
  await run.saveExperiment(loaded, { hash, ...environmentOf(assembled.backend) });
  await run.checkpoints.removeLeftovers();

  const { steps } = experiment.training;
  const from = checkpoint
    ? `, resumed at step ${formatNumber(checkpoint.state.step)}`
    : resume
      ? ', from the start: there is no checkpoint yet'
      : '';
  output.note(`${experiment.name} → ${run.path} (${assembled.backend.name}: ${assembled.backend.device})${from}`);
  const { resumeCommand } = run;
  if (checkpoint && checkpoint.state.step >= steps)
    loadParameters(assembled, checkpoint, run.checkpoints.path(checkpoint.state.step));
  else await trainFrom({ context, assembled, run, hash, checkpoint, signal: interrupts.signal, resumeCommand });

  if (!report) {
    output.result(`Trained ${formatNumber(steps)} steps in ${run.path}`, { run: run.path, step: steps });
    return;
  }
  try {
    await reportRun({ output, assembled, run, step: steps, signal: interrupts.signal });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    throw new InterruptedError(`Interrupted while scoring; the training itself is complete and saved in ${run.path}.`, {
      remedy: `Go on with: ${resumeCommand}`,
    });
  }
}

/** The last checkpoint of a run of the same experiment. @throws RunError for another experiment, CheckpointError for a foreign checkpoint. */
async function resumable(
  { root, output }: CommandContext,
  run: RunDirectory,
  { experiment }: LoadedExperiment,
): Promise<{ checkpoint: Checkpoint | undefined; hash: string }> {
  const saved = await loadExperiment(root, run.experimentFile);
  const difference = firstDifference(saved.experiment, experiment);
  if (difference) {
    const [there, here] = difference.values.map((value) => (value === undefined ? 'absent' : JSON.stringify(value)));
    throw new RunError(
      `${run.path} is a run of another experiment: ${difference.key} is ${there} there and ${here} here.`,
      {
        actual: difference,
        remedy: `Resume it as it is with '${run.resumeCommand}', or name another directory with --run.`,
      },
    );
  }
  const hash = saved.environment.hash ?? experimentHash(experiment);
  const checkpoint = await run.checkpoints.latest();
  if (checkpoint && checkpoint.experiment !== hash) {
    throw new CheckpointError(`${run.checkpoints.path(checkpoint.state.step)} belongs to another experiment.`, {
      actual: checkpoint.experiment,
      expected: `a checkpoint of ${run.experimentFile}`,
      remedy: 'Remove it.',
    });
  }
  if (checkpoint && saved.environment.backend !== experiment.backend.name)
    output.warn(
      `This run began on backend ${saved.environment.backend}: on ${experiment.backend.name} its numbers will differ in the last bits.`,
    );
  return { checkpoint, hash };
}

interface TrainFromRequest {
  readonly context: CommandContext;
  readonly assembled: AssembledExperiment;
  readonly run: RunDirectory;
  readonly hash: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly signal: AbortSignal;
  readonly resumeCommand: string;
}

async function trainFrom({
  context: { output },
  assembled,
  run,
  hash,
  checkpoint,
  signal,
  resumeCommand,
}: TrainFromRequest): Promise<void> {
  const { experiment, flow, data, optimizer } = assembled;
  const { steps, checkpointEvery, ...settings } = experiment.training;
  const training = await flow.begin(data, {
    ...settings,
    steps,
    checkpointEvery,
    optimizer,
    seed: experiment.seed,
    signal,
    resume: checkpoint?.state,
  });
  try {
    await using metrics = await MetricsLog.open(run.metricsFile, training.step);
    const secondsBefore = (await readMetrics(run.metricsFile)).at(-1)?.seconds ?? 0;
    let saved = training.step;
    const save = async (): Promise<void> => {
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
        await metrics.append({ ...report, seconds: secondsBefore + report.seconds });
        progress.update(
          report.step,
          `loss ${report.loss.toFixed(4)}${report.skipped > 0 ? `  ${report.skipped} updates skipped` : ''}`,
        );
        if (report.step % checkpointEvery === 0 || report.step === steps) await save();
      }
      if (training.step < steps && training.step > saved) await save();
    } catch (error) {
      throw withLastCheckpoint(error, run, saved);
    } finally {
      output.endProgress();
    }
    if (training.step < steps) {
      const kept = saved > 0 ? `step ${formatNumber(saved)} is saved in ${run.path}` : 'before the first step';
      throw new InterruptedError(`Interrupted: ${kept}.`, {
        actual: training.step,
        remedy: `Go on with: ${resumeCommand}`,
      });
    }
    const seconds = (await readMetrics(run.metricsFile)).at(-1)?.seconds ?? 0;
    output.note(`Trained ${formatNumber(steps)} steps in ${formatSeconds(seconds)}`);
    await flow.adopt(training);
  } finally {
    await disposeQuietly(training);
  }
}

/** The error, with what can be gone on from. */
function withLastCheckpoint(error: unknown, run: RunDirectory, saved: number): unknown {
  if (!(error instanceof Error)) return error;
  error.message +=
    saved > 0 ? `\nThe last good checkpoint is ${run.checkpoints.path(saved)}.` : '\nThere is no checkpoint yet.';
  return error;
}

/** What failed before is what the user should read. */
async function disposeQuietly(training: Training): Promise<void> {
  await training.dispose().catch(() => {});
}
