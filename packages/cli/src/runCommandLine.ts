import { CommanderError } from 'commander';
import { exitStatus, interruptStatus } from './exitStatus.ts';
import { createProgram } from './program.ts';
import type { Output } from './terminal/output.ts';
import { printError } from './terminal/printError.ts';
import type { Surroundings } from './terminal/surroundings.ts';

/** Runs one command line and returns the exit status. */
export async function runCommandLine(args: readonly string[], streams: Surroundings): Promise<number> {
  const json = args.includes('--json');
  let output: Output | undefined;
  // Loaded only for a command that runs, so that help and version are fast.
  const program = createProgram(streams, async (command, commandArguments, options) => {
    const { Output } = await import('./terminal/output.ts');
    output = new Output(streams, options);
    const { createRootContainer } = await import('./container/createRootContainer.ts');
    const work = await command.load();
    await work({ output, root: createRootContainer() }, commandArguments as never, options as never);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    if (output?.interrupted) return interruptStatus(output.interruptedBy);
    return output?.failed ? exitStatus.failed : exitStatus.done;
  } catch (error) {
    output?.endProgress();
    // Help and version arrive as errors too, with status 0; commander has already printed them.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitStatus.done;
      if (json) printError(streams, { code: 'FM_USAGE', message: error.message.replace(/^error: /, '') });
      return exitStatus.usage;
    }
    const { reportFailure } = await import('./reportFailure.ts');
    return reportFailure(error, streams, { json, interruptedBy: output?.interruptedBy });
  }
}
