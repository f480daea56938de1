import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
});
const number = (name: 'seconds' | 'seed' | 'case', fallback: number): number => {
  const value = values[name] === undefined ? fallback : Number(values[name]);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} ${values[name]}: a number was expected`);
  return value;
};
const seed = number('seed', Math.floor(Math.random() * 2 ** 31));
const single = values.case === undefined ? undefined : number('case', 0);
const seconds = number('seconds', 60);

console.log(`Seed ${seed}, ${single === undefined ? `${seconds} seconds` : `case ${single}`}.`);
const { cases, failures } = await fuzz(single === undefined ? { seed, seconds } : { seed, from: single, cases: 1 });
for (const { index, target, problem, file } of failures) {
  console.log(`\n${target}: ${problem.split('\n').slice(0, 8).join('\n')}`);
  console.log(`  input: ${file}\n  again: npm run fuzz -- --seed ${seed} --case ${index}`);
}
console.log(`\n${cases} inputs, ${failures.length} of them read wrongly.`);
process.exitCode = failures.length > 0 ? 1 : 0;
