import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packages = ['webgpu', '@jax-js/jax', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu'];

/** Versions of what is compared, by package; their exports hide them. */
export const installedVersions = (): Record<string, string> =>
  Object.fromEntries(
    packages.flatMap((name) => {
      const file = fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url));
      return existsSync(file)
        ? [[name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version] as const]
        : [];
    }),
  );
