import type { InterpretedEngineName } from '@flow-matching/backend-tfjs';
import type { PluginSpec } from '@flow-matching/core';

/** A backend on a device, to be probed. */
export interface DeviceProbe {
  readonly backend: string;
  readonly device: string;
  /** The backend as in an experiment file. */
  readonly spec: PluginSpec;
  /** Whether the backend knows a more specific name of the device. */
  readonly named?: boolean;
  /** How to make it work. */
  readonly enable: string;
  /** A note for users if it works. */
  readonly note?: () => Promise<string>;
}

export interface ProbeResult {
  readonly backend: string;
  readonly device: string;
  readonly works: boolean;
  /** Largest relative error and time if it works, else the failure. */
  readonly detail: string;
  readonly note?: string;
}

/** An operator without a kernel on the device must fail, not run elsewhere. */
const noFallback = { session: { disable_cpu_ep_fallback: '1' } };
const onnxOn = (provider: string): PluginSpec => ({
  name: 'onnx',
  session: { executionProviders: [provider], extra: noFallback },
});

const interpretedTfjs = (engine: InterpretedEngineName, device: string, enable: string): DeviceProbe => ({
  backend: 'tfjs',
  device,
  spec: { name: 'tfjs', engine },
  enable,
  note: async () => (await import('@flow-matching/backend-tfjs')).engineFallbacks(engine),
});

/** Everything that `doctor` probes. Another backend or device takes one more line. */
export const deviceProbes: readonly DeviceProbe[] = [
  {
    backend: 'reference',
    device: 'cpu',
    spec: { name: 'reference' },
    enable: 'it needs nothing but Node; please report this',
  },
  {
    backend: 'onnx',
    device: 'cpu',
    spec: { name: 'onnx' },
    enable: 'npm install onnxruntime-node (Linux x64 and arm64 with glibc, macOS arm64, Windows x64 and arm64)',
  },
  {
    backend: 'onnx',
    device: 'cuda',
    spec: onnxOn('cuda'),
    enable:
      "needs Linux x64, an NVIDIA GPU, CUDA 12 and cuDNN 9; then 'npm rebuild onnxruntime-node --ignore-scripts=false' downloads the provider, and --set backend.session.executionProviders=[cuda] uses it",
  },
  {
    backend: 'tfjs',
    device: 'cpu',
    spec: { name: 'tfjs', engine: 'node' },
    enable:
      'npm install @tensorflow/tfjs-node with its install script, or in this repository npm run setup:tensorflow (Linux x64)',
  },
  {
    backend: 'tfjs',
    device: 'cuda',
    spec: { name: 'tfjs', engine: 'node-gpu' },
    enable:
      'needs Linux x64 and an NVIDIA GPU with CUDA 11 and cuDNN 8; then npm install @tensorflow/tfjs-node-gpu with its install script',
  },
  interpretedTfjs(
    'webgpu',
    'webgpu',
    'needs a browser with WebGPU, or in Node a navigator.gpu that the program provides',
  ),
  interpretedTfjs('webgl', 'webgl', 'needs a browser'),
  interpretedTfjs('wasm', 'wasm', 'npm install @tensorflow/tfjs-backend-wasm'),
  interpretedTfjs('cpu', 'cpu, JavaScript', 'npm install @tensorflow/tfjs-backend-cpu'),
  {
    backend: 'webgpu',
    device: 'gpu',
    spec: { name: 'webgpu' },
    named: true,
    enable:
      'npm install webgpu, and a GPU with a driver for Vulkan, Metal or Direct3D 12, or a software adapter such as SwiftShader named by VK_DRIVER_FILES',
  },
];
