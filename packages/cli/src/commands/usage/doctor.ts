import { Option } from 'commander';
import type { CliCommand } from '../cliCommand.ts';

export const doctor: CliCommand = {
  name: 'doctor',
  configure: (command) =>
    command
      .summary('which backends and devices work on this machine')
      .description(
        'Runs a small program on every backend and device, compares the numbers with the reference, and says how to enable what does not work.',
      )
      .addOption(new Option('--probe <n>').hideHelp()),
  load: async () => (await import('../doctor.ts')).doctor,
};
