export { interpretedEngines, type EngineOptions, type InterpretedEngineName } from './interpreted/engines/engine.ts';
export { engineFallbacks } from './interpreted/interpretedBackend.ts';
export { tfjs, tfjsEngines, type TfjsEngine, type TfjsOptions } from './tfjs.ts';
