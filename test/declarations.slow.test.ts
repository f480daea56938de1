import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declareLibrary } from '../browser/declareLibrary.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const compiler = join(root, 'node_modules/typescript/lib/tsc.js');

/** What the compiler prints; nothing where all is well. */
const tsc = (...args: string[]): string =>
  spawnSync(process.execPath, [compiler, ...args], { cwd: root, encoding: 'utf8' }).stdout;

const program = (from: string, node: string): string => `
import { adam, checkerboard, createFlow, mlp, optimalTransport } from '${from.replace('backend-webgpu', 'plugins')}';
import { FlowMatchingError, type Backend } from '${from.replace('backend-webgpu', 'tensor')}';
import { webgpu, type WebgpuOptions } from '${from}';
${node}
const options: WebgpuOptions = { powerPreference: 'high-performance' };
const backend: Backend = await webgpu(options);
const flow = await createFlow({ backend, path: optimalTransport(), model: mlp({ width: 32, depth: 3 }) });
for await (const { loss } of flow.train(checkerboard(), { optimizer: adam({ learningRate: 1e-2 }), steps: 20, batchSize: 64 }))
  Math.sqrt(loss);
export const { samples } = await flow.sample(100, { seed: 1 }).catch((error: unknown) => {
  throw error instanceof FlowMatchingError ? new Error(error.code) : error;
});
// @ts-expect-error A misspelt option.
await webgpu({ powerPreferense: 'low-power' });
// @ts-expect-error A value that the option does not have.
await webgpu({ powerPreference: 'fast' });
// @ts-expect-error A misspelt option.
mlp({ widht: 32 });
`;

/** Type-checks a module strictly, its declarations included. */
function check(folder: string, text: string, options: object): string {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'program.ts'), text);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { strict: true, skipLibCheck: false, noEmit: true, target: 'es2022', ...options },
      files: ['program.ts'],
    }),
  );
  return tsc('-p', folder);
}

describe('declarations', function () {
  this.timeout(180_000);
  const folders: string[] = [];

  before(() => expect(tsc('-b', 'packages/plugins', 'packages/backend-webgpu')).to.equal(''));
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  const folderIn = (place: string): string => {
    const folder = mkdtempSync(join(place, '.consumer-'));
    folders.push(folder);
    return folder;
  };

  it('of backend-webgpu work for a Node program without WebGPU types', () => {
    const entry = '@flow-matching/backend-webgpu';
    const node = `import { webgpu as onDawn } from '${entry}/node';\nawait onDawn({ dawn: ['backend=vulkan'] });\n// @ts-expect-error A misspelt option.\nawait onDawn({ dwan: [] });`;
    const options = { lib: ['es2022', 'esnext.disposable'], module: 'nodenext', types: ['node'] };
    expect(check(folderIn(join(root, 'node_modules')), program(entry, node), options)).to.equal('');
  });

  it('of the browser module are enough for a page with only its folder', () => {
    // Outside the repository, so that no package is found.
    const folder = folderIn(tmpdir());
    for (const { name, contents } of declareLibrary()) {
      const file = join(folder, 'dist', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, contents);
    }
    const gpu =
      'export const adapter: GPUAdapter | null = await navigator.gpu.requestAdapter();\n// @ts-expect-error Not an adapter.\nawait webgpu({ adapter: 3 });';
    const options = {
      lib: ['es2022', 'esnext.disposable', 'dom'],
      module: 'esnext',
      moduleResolution: 'bundler',
      types: [],
    };
    expect(check(folder, program('./dist/flow-matching.js', gpu), options)).to.equal('');
  });
});
