import type { Browser, Page } from 'playwright-core';
import { bundlePage } from './bundlePage.ts';
import { serveSite } from './serveSite.ts';

/** The page of test/browser in a browser, running on one backend. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors on the console and uncaught ones, WebGPU's among them, since the last call. */
  takeErrors(): string[];
}

/** Opens the page. @throws Error with what the page said where it does not load. */
export async function openPage(browser: Browser, backend: string): Promise<OpenPage> {
  const server = await serveSite(await bundlePage());
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => void errors.push(error.stack ?? error.message));
  page.on('crash', () => void errors.push('The page crashed.'));
  const opened: OpenPage = {
    page,
    takeErrors: () => errors.splice(0),
    async [Symbol.asyncDispose]() {
      await page.close();
      await server[Symbol.asyncDispose]();
    },
  };
  await page.goto(`${server.origin}/?backend=${backend}`);
  if (await page.evaluate(() => 'harness' in globalThis)) return opened;
  await opened[Symbol.asyncDispose]();
  throw new Error(`The page does not load: ${errors.join('\n')}`);
}
