/** Whether this is Node, where files can be read and addons loaded. */
export const isNode = (): boolean => typeof globalThis.process?.versions?.node === 'string';
