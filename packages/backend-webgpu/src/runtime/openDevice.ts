import { BackendError } from '@flow-matching/tensor';
import type { AdapterProfile } from '../compiler/adapterProfile.ts';

export interface OpenedDevice {
  readonly device: GPUDevice;
  /** Its description, for display. */
  readonly name: string;
  readonly profile: AdapterProfile;
}

export interface DeviceOptions {
  readonly adapter?: GPUAdapter;
  readonly powerPreference?: 'low-power' | 'high-performance';
  readonly kernels?: 'gpu' | 'processor';
}

/** Limits whose default is below what most adapters support. */
const raised = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const;

/** Features that are used if the adapter has them. */
const wanted = ['subgroups', 'shader-f16', 'timestamp-query'] as const satisfies readonly GPUFeatureName[];

/** @throws BackendError if there is no adapter, or it gives no device. */
export async function openDevice(
  gpu: GPU | undefined,
  { adapter: given, powerPreference, kernels }: DeviceOptions,
): Promise<OpenedDevice> {
  const adapter = given ?? (await gpu?.requestAdapter(powerPreference === undefined ? {} : { powerPreference }));
  if (!adapter) {
    throw new BackendError('WebGPU has no adapter.', {
      actual: 'none',
      expected: 'a GPU with a Vulkan, Metal or Direct3D 12 driver, or a software adapter such as SwiftShader',
      remedy: 'Install the driver of the GPU.',
    });
  }
  const requiredLimits = Object.fromEntries(raised.map((limit) => [limit, adapter.limits[limit]]));
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
  const device = await requestDevice(adapter, { requiredLimits, requiredFeatures });
  const { info, limits } = adapter;
  const isProcessor = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(describe(info));
  return {
    device,
    name: describe(info),
    profile: {
      software: kernels === undefined ? isProcessor : kernels === 'processor',
      halves: adapter.features.has('shader-f16'),
      subgroups: adapter.features.has('subgroups') && (gpu?.wgslLanguageFeatures.has('subgroup_id') ?? false),
      storageBuffers: limits.maxStorageBuffersPerShaderStage,
      storageBufferBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
      workgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      invocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      workgroupStorageBytes: limits.maxComputeWorkgroupStorageSize,
    },
  };
}

async function requestDevice(adapter: GPUAdapter, descriptor: GPUDeviceDescriptor): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice(descriptor);
  } catch (cause) {
    throw new BackendError(`The adapter ${describe(adapter.info)} gives no device: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const describe = ({ vendor, architecture, device, description }: GPUAdapterInfo): string =>
  [...new Set([vendor, architecture, description || device])].filter((part) => part !== '').join(' ') ||
  'unknown adapter';
