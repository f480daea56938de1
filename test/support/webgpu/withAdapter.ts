import { spawn } from 'node:child_process';
import { findAdapter } from './findAdapter.ts';

// Runs a command where WebGPU finds the adapter that the tests use: npm run webgpu -- node program.js
const [command, ...words] = process.argv.slice(2);
const adapter = findAdapter();
if (!command || !adapter) {
  console.error(command ? 'There is no WebGPU adapter here.' : 'usage: npm run webgpu -- <command> [arguments]');
  process.exit(1);
}
console.error(`WebGPU runs on ${adapter.name} (${adapter.origin}).`);
const child = spawn(command, words, { stdio: 'inherit', env: { ...process.env, ...adapter.environment } });
child.on('error', ({ message }) => {
  console.error(message);
  process.exitCode = 127;
});
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code ?? 1;
});
