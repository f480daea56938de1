/** What WebGPU tells of an adapter. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
}

/** An adapter for people: its description where it has one. */
export const adapterName = ({ vendor, architecture, device, description }: AdapterInfo): string =>
  description || [vendor, architecture, device].filter(Boolean).join(' ') || 'an adapter without a name';
