/** An experiment that trains in a blink: one thread, so that equal bytes come out on every machine with equal processors. */
export const tinyExperiment = `name: tiny
seed: 3
data: checkerboard
model: { name: mlp, width: 16, depth: 3 }
optimizer: { name: adam, learningRate: 1.0e-3, schedule: { name: cosine, warmup: 10 } }
training: { steps: 60, batchSize: 32, checkpointEvery: 10, reportEvery: 5, ema: 0.99 }
solver: { name: midpoint, steps: 4 }
backend: { name: onnx, threads: 1 }
`;
