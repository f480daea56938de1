import {
  copyRegisteredKernels,
  getKernel,
  registerKernel,
  unregisterKernel,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { startEngine } from '../../src/interpreted/engines/index.ts';
import { webgl } from '../../src/interpreted/engines/webgl.ts';
import type { EngineKind, StartedEngine } from '../../src/interpreted/engines/engine.ts';

const round = Math.fround;

/** What kernels of GPUs make of an element x and its right result y. */
const elementwise: Readonly<Record<string, (x: number, y: number) => number>> = {
  Cos: (_, y) => y + 2 ** -12,
  Erf: (_, y) => y + 1.5e-7,
  Expm1: (x) => round(Math.exp(x)) - 1,
  Log: (x, y) => (x === 0 ? Math.log(2 ** -149) : y),
  Log1p: (x) => Math.log(round(1 + x)),
  Sin: (_, y) => y + 2 ** -12,
  Tanh(x) {
    // exp is off by a unit or two in the last place, as WGSL allows.
    const e = round(Math.exp(-2 * Math.abs(x)) * (1 + 2 ** -22));
    return (Math.sign(x) * round(1 - e)) / round(1 + e);
  },
};

/** The same of a right result alone. */
const afterwards: Readonly<Record<string, (y: number) => number>> = {
  Max: (y) => Math.max(y, -1e20),
  Min: (y) => Math.min(y, 1e20),
  Exp: (y) => (Number.isNaN(y) ? Infinity : y),
  Pow: (y) => (Number.isNaN(y) ? 0 : y),
  Sigmoid: (y) => (Number.isNaN(y) ? 0 : y),
};

/** Kernels whose shaders take so many axes at most. */
const mostAxes = { Select: 4, PadV2: 4, StridedSlice: 4, Reverse: 4, Transpose: 6, Slice: 6 } as const;

/** The kernels of the cpu engine, registered as those of webgl, with the faults that `decomposed` of webgl and webgpu lists. */
export async function faultyEngine(decomposed: EngineKind['decomposed']): Promise<StartedEngine> {
  const cpu = await startEngine('cpu', {});
  if (!getKernel('Add', 'webgl')) registerFaulty();
  return { ...cpu, kind: { ...webgl, decomposed } };
}

function registerFaulty(): void {
  copyRegisteredKernels('cpu', 'webgl');
  const kernel = (name: string): KernelFunc => getKernel(name, 'cpu').kernelFunc;
  const replace = (name: string, kernelFunc: KernelFunc): void => {
    unregisterKernel(name, 'webgl');
    registerKernel({ kernelName: name, backendName: 'webgl', kernelFunc });
  };
  const values = (backend: unknown, { dataId }: TensorInfo): Float32Array =>
    (backend as MathBackendCPU).data.get(dataId).values as Float32Array;
  const mapped = (name: string, change: (y: number, i: number, operands: readonly Float32Array[]) => number): void => {
    replace(name, (call) => {
      const result = kernel(name)(call) as TensorInfo;
      const operands = Object.values(call.inputs).map((x) => values(call.backend, x!));
      const held = values(call.backend, result);
      held.forEach((y, i) => (held[i] = change(y, i, operands)));
      return result;
    });
  };
  for (const [name, change] of Object.entries(elementwise)) mapped(name, (y, i, [x]) => change(x[i], y));
  for (const [name, change] of Object.entries(afterwards)) mapped(name, change);
  for (const [name, most] of Object.entries(mostAxes))
    replace(name, (call) => {
      const axes = Math.max(...Object.values(call.inputs).map((x) => x!.shape.length));
      if (axes > most) throw new Error(`${name} for rank ${axes} is not yet supported`);
      return kernel(name)(call);
    });
  replace('RealDiv', (call) => {
    const [quotient, equal] = ['RealDiv', 'Equal'].map((name) => kernel(name)(call) as TensorInfo);
    const held = values(call.backend, quotient);
    values(call.backend, equal).forEach((is, i) => {
      if (is) held[i] = 1;
    });
    return quotient;
  });
}
