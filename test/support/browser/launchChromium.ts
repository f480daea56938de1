import { chromium, type Browser } from 'playwright-core';
import { findAdapter } from '../webgpu/findAdapter.ts';
import { chromiumCandidates, type ChromiumCandidate } from './chromiumCandidates.ts';

/** Nothing that calls home or asks the user. Playwright adds a headless mode, a fresh profile and no sandbox, which root cannot have. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];
const webGpu = ['--enable-unsafe-webgpu', '--enable-features=Vulkan'];
const software = ['--use-webgpu-adapter=swiftshader', '--use-vulkan=swiftshader', '--use-angle=swiftshader'];

/** The first headless Chromium in which WebGPU finds an adapter, undefined where there is none. */
export async function launchChromium(): Promise<Browser | undefined> {
  if (process.env['WEBGPU_ADAPTER'] === 'none') return undefined;
  const adapter = findAdapter();
  const choices = adapter && !adapter.isSoftware ? [webGpu, [...webGpu, ...software]] : [[...webGpu, ...software]];
  for (const candidate of chromiumCandidates()) {
    for (const choice of choices) {
      const browser = await launched(candidate, choice);
      if (browser) return browser;
    }
  }
  return undefined;
}

async function launched(
  { executable, environment }: ChromiumCandidate,
  choice: readonly string[],
): Promise<Browser | undefined> {
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({
      executablePath: executable,
      args: [...quiet, ...choice, '--disable-gpu-sandbox'],
      env: { ...(process.env as Record<string, string>), ...environment },
      timeout: 20_000,
    });
    if (await hasAdapter(browser)) return browser;
  } catch (error) {
    console.log(`${executable} does not work: ${String(error).split('\n')[0]}`);
  }
  await browser?.close();
  return undefined;
}

/** Asks on a page of its own: about:blank is no place that WebGPU takes for secure. */
async function hasAdapter(browser: Browser): Promise<boolean> {
  const page = await browser.newPage();
  await page.route('http://localhost/', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
  );
  await page.goto('http://localhost/');
  const found = await page.evaluate(async () => !!(await (navigator as Partial<Navigator>).gpu?.requestAdapter()));
  await page.close();
  return found;
}
