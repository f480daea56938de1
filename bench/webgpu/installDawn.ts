import { dawnInstance } from '@flow-matching/backend-webgpu/node';

/** Makes Dawn what a browser has as `navigator.gpu`, for libraries that look there, and names its adapter. */
export async function installDawn(): Promise<string> {
  const gpu = await dawnInstance();
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true });
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('WebGPU has no adapter.');
  const { vendor, architecture, device, description } = adapter.info;
  return description || [vendor, architecture, device].filter(Boolean).join(' ');
}
