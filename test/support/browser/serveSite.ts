import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Site } from './bundlePage.ts';

export interface Server extends AsyncDisposable {
  /** Such as http://127.0.0.1:40123, which browsers take for a secure place, as WebGPU demands. */
  readonly origin: string;
}

/** Serves files from memory on a port of its own. */
export async function serveSite(site: Site): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const file = site.get(new URL(url, 'http://localhost').pathname);
    if (file) response.writeHead(200, { 'content-type': file.type }).end(file.contents);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
