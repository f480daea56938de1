import { expect } from 'chai';
import { start, temporaryFolder } from './support/commandLine.ts';

describe('doctor', () => {
  const folder = temporaryFolder();

  it('runs something on every device', async function () {
    // A process for each device, all at once.
    this.timeout(120_000);
    const { status, stdout } = await start(['doctor', '--json', '--quiet'], folder.path).ended;
    expect(status).to.equal(0);
    const { devices, versions } = JSON.parse(stdout) as {
      devices: { backend: string; device: string; works: boolean; enable?: string; note?: string }[];
      versions: Record<string, string>;
    };
    for (const backend of ['reference', 'onnx'])
      expect(devices.find((device) => device.backend === backend)).to.include({ works: true });
    const wasm = devices.find(({ device }) => device.startsWith('wasm'));
    expect(wasm).to.include({ backend: 'tfjs', works: true });
    expect(wasm?.note, 'what falls back').to.match(/^decomposed: .*ConvWeightGradient of products/);
    for (const device of devices) if (!device.works) expect(device.enable).to.be.a('string');
    expect(versions).to.have.property('node', process.versions.node);
  });
});
