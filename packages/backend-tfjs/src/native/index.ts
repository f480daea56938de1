export { isTensorflowInstalled, NativeBackend } from './nativeBackend.ts';
