type RequestDevice = (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice>;

/** Calls back for whatever goes wrong, uncaught, on devices that are requested from now on. */
export function onUncapturedError({ prototype }: { prototype: GPUAdapter }, report: (message: string) => void): void {
  const requestDevice: RequestDevice = Reflect.get(prototype, 'requestDevice');
  prototype.requestDevice = async function (this: GPUAdapter, descriptor) {
    const device = await requestDevice.call(this, descriptor);
    device.addEventListener('uncapturederror', (event) => {
      // It is told here: Dawn would print it too.
      event.preventDefault();
      report(`Uncaptured WebGPU error: ${event.error.message}`);
    });
    void device.lost.then(({ reason, message }) => {
      if (reason !== 'destroyed') report(`WebGPU device lost: ${message}`);
    });
    return device;
  };
}
