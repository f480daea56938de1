import { assert } from 'chai';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

it('the engines of a page come without anything of Node, each in a file of its own', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: "import { tfjs } from '@flow-matching/backend-tfjs'; tfjs();",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    splitting: true,
    outdir: 'out',
    conditions: ['@flow-matching/source'],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  const texts = outputFiles.map(({ text }) => text);
  const page = outputFiles.find(({ path }) => path.endsWith('stdin.js'))!.text;
  for (const [engine, mark] of Object.entries({
    cpu: 'MathBackendCPU = class',
    wasm: 'BackendWasm = class',
    webgl: 'MathBackendWebGL = class',
    webgpu: 'WebGPUBackend = class',
  })) {
    assert.lengthOf(
      texts.filter((text) => text.includes(mark)),
      1,
      engine,
    );
    assert.notInclude(page, mark, `${engine} is loaded with the page`);
  }
  for (const text of texts) assert.notMatch(text, /\bfrom ["']node:/);
});
