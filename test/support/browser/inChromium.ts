import { assert } from 'chai';
import type { Browser } from 'playwright-core';
import { reportNoAdapter } from '../webgpu/reportNoAdapter.ts';
import { launchChromium } from './launchChromium.ts';
import { openPage, type OpenPage } from './openPage.ts';

/** Registers tests of a backend in a page of headless Chromium. An error that the page shows fails the test during which it came. */
export function inChromium(backend: string, define: (opened: () => OpenPage) => void): void {
  const title = `${backend} in Chromium`;
  describe(title, () => {
    let browser: Browser | undefined;
    let opened: OpenPage | undefined;

    before(async function () {
      // The first run unpacks a browser.
      this.timeout(60_000);
      browser = await launchChromium();
      if (!browser) {
        reportNoAdapter(`The tests of ${title}`);
        this.skip();
      }
      opened = await openPage(browser, backend);
      const adapter = await opened.page.evaluate(() => harness.adapter());
      console.log(`    Chromium ${browser.version()}, WebGPU on ${adapter}`);
    });
    afterEach(() => assert.deepEqual(opened?.takeErrors() ?? [], []));
    after(async () => {
      await opened?.[Symbol.asyncDispose]();
      await browser?.close();
    });

    define(() => opened!);
  });
}
