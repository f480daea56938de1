export { isTensorflowInstalled, NativeBackend } from './native/nativeBackend.ts';
export { tfjs, tfjsEngines, type TfjsEngine, type TfjsOptions } from './tfjs.ts';
