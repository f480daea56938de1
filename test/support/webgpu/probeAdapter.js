// Prints what WebGPU runs on in this environment as JSON, null where there is no adapter. A process of its own, since a driver may crash.
import { create } from 'webgpu';

const gpu = create([]);
const adapter = await gpu.requestAdapter();
const info = adapter?.info;
const found = info && {
  vendor: info.vendor,
  architecture: info.architecture,
  device: info.device,
  description: info.description,
  isFallbackAdapter: info.isFallbackAdapter,
  features: [...adapter.features],
};
process.stdout.write(JSON.stringify(found ?? null), () => process.exit(0));
