import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = new URL('../', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');

describe('examples', () => {
  it('library.ts runs, and is what the README shows', async () => {
    expect(text('README.md')).to.include(`\`\`\`ts\n${text('examples/library.ts')}\`\`\``);
    const args = ['--conditions=source', '--import', './test/support/register.js', 'examples/library.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root) });
    expect(stdout).to.match(/step 500 {2}loss 3\.\d+/);
    expect(stdout).to.match(/samples 1000 × 2 in \d+ evaluations/);
    expect(Number(/log-likelihood (\d\.\d+)/.exec(stdout)![1])).to.be.within(3.466, 4.4);
  }).timeout(120_000);
});
