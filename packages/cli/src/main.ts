import { runCommandLine } from './runCommandLine.ts';
import { surviveStreams } from './terminal/surviveStreams.ts';

surviveStreams(process);
process.exitCode = await runCommandLine(process.argv.slice(2), process);
