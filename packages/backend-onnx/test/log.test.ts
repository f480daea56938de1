import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

describe("ONNX Runtime's log", () => {
  it('does not print what an error says already', function () {
    this.timeout(120_000);
    const register = new URL('../../../test/support/register.js', import.meta.url).href;
    const args = ['--conditions=@flow-matching/source', '--import', register, path('support/failInRun.ts')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout).to.contain('Gather(f32[2], i32[2])');
    expect(stderr).to.equal('');
  });
});
