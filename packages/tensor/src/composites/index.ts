export * from './activations.ts';
export * from './attention.ts';
export * from './image.ts';
export * from './normalization.ts';
export * from './random.ts';
export * from './softmax.ts';
export * from './statistics.ts';
export * from './elementwiseComposite.ts';
