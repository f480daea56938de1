export { onnx, OnnxBackend, type OnnxOptions } from './onnxBackend.ts';
