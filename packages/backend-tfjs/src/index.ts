export { NativeBackend } from './native/nativeBackend.ts';
