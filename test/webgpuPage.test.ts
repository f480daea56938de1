import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { bundleLibrary } from '../browser/bundleLibrary.ts';
import type { ServedFile } from './support/browser/bundlePage.ts';
import { launchChromium } from './support/browser/launchChromium.ts';
import { serveSite } from './support/browser/serveSite.ts';
import { blocksOf } from './support/runDocument.ts';
import { reportNoAdapter } from './support/webgpu/reportNoAdapter.ts';

describe('the page of docs/webgpu.md', () => {
  let browser: Browser | undefined;

  before(async function () {
    // The first run unpacks a browser.
    this.timeout(60_000);
    browser = await launchChromium();
    if (browser) return;
    reportNoAdapter('The test of the page of docs/webgpu.md');
    this.skip();
  });
  after(() => browser?.close());

  it('runs as it stands beside the module that is built', async function () {
    this.timeout(60_000);
    const [html] = await blocksOf('docs/webgpu.md', 'html');
    const { files } = await bundleLibrary();
    await using server = await serveSite(
      new Map<string, ServedFile>([
        [
          '/',
          {
            type: 'text/html; charset=utf-8',
            contents: html.replace('<title>', '<link rel="icon" href="data:," /><title>'),
          },
        ],
        ...files.map(({ name, contents }) => [`/dist/${name}`, { type: 'text/javascript', contents }] as const),
      ]),
    );
    const page = await browser!.newPage();
    const failed = new Promise<never>((_, reject) => {
      page.on('console', (message) => {
        if (message.type() === 'error') reject(new Error(message.text()));
      });
      page.on('pageerror', reject);
    });
    // What comes after the samples is nobody's to await.
    failed.catch(() => {});
    await page.goto(server.origin);
    const log = page.locator('#log', { hasText: 'Samples' });
    await Promise.race([log.waitFor(), failed]);
    expect(await log.textContent()).to.match(
      /^Step 10: loss \d+\.\d{3}\nStep 20: loss \d+\.\d{3}\nSamples: \[100,2\], the first at -?\d+\.\d+,-?\d+\.\d+$/,
    );
    await page.close();
  });
});
