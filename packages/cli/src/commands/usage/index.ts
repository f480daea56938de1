import type { CliCommand } from '../cliCommand.ts';
import { compare } from './compare.ts';
import { conformance } from './conformance.ts';
import { doctor } from './doctor.ts';
import { evaluate } from './evaluate.ts';
import { plugins } from './plugins.ts';
import { sample } from './sample.ts';
import { schema } from './schema.ts';
import { train } from './train.ts';

/** Every command, in the order of the help text. A new command takes a file and a line here. */
export const commands: readonly CliCommand[] = [train, sample, evaluate, compare, conformance, doctor, plugins, schema];
