import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unpacked } from '../webgpu/unpacked.ts';

/** A Chromium that may work here. */
export interface ChromiumCandidate {
  readonly executable: string;
  readonly environment: Readonly<Record<string, string>>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const applications = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** In the order in which they are tried: the one that the variable CHROMIUM names, or else installed ones, then the one of @sparticuz/chromium. */
export function* chromiumCandidates(): Generator<ChromiumCandidate> {
  const asked = process.env['CHROMIUM'];
  if (asked) {
    yield { executable: asked, environment: {} };
    return;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...applications];
  for (const executable of installed.filter(isExecutable)) yield { executable, environment: {} };
  const folder = unpacked('chromium', ['chromium', 'swiftshader.tar', 'al2023.tar']);
  if (folder) yield { executable: join(folder, 'chromium'), environment: carriedEnvironment(folder) };
}

const carriedEnvironment = (folder: string): Record<string, string> => ({
  LD_LIBRARY_PATH: [folder, join(folder, 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter),
});

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
