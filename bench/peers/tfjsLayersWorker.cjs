// Answers JSON lines as worker.py does: the MLP as tf.sequential, trained by Adam on tfjs-node. A step is optimizer.minimize, which unlike
// trainOnBatch does not read the loss back; they were equally fast.
const { createInterface } = require('node:readline');
const util = require('node:util');

// tfjs-node asks for these two, which Node 23 has no more.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node');

const sigmaMin = 1e-5;

function network() {
  const model = tf.sequential();
  for (let i = 0; i < 4; i++)
    model.add(tf.layers.dense({ units: 512, activation: 'swish', ...(i === 0 && { inputShape: [3] }) }));
  model.add(tf.layers.dense({ units: 2 }));
  return model;
}

/** Points on the path with their times [size, 3], and velocities [size, 2]. */
const batch = (size) =>
  tf.tidy(() => {
    const [x, y] = [tf.randomUniform([size, 1], 0, 4), tf.randomUniform([size, 1], 0, 2)];
    const row = tf.floor(y).mul(2).add(tf.floor(x).mod(2));
    const x1 = tf.concat([x.mul(2).sub(4), row.add(y.mod(1)).mul(2).sub(4)], 1);
    const [noise, t] = [tf.randomNormal([size, 2]), tf.randomUniform([size, 1])];
    const std = t.mul(sigmaMin - 1).add(1);
    return [tf.concat([std.mul(noise).add(t.mul(x1)), t], 1), x1.sub(noise.mul(1 - sigmaMin))];
  });

function prepare({ size, operations }) {
  const model = network();
  const optimizer = tf.train.adam(1e-3);
  const loss = (x, y) => tf.losses.meanSquaredError(y, model.apply(x, { training: true }));
  const run = () => {
    for (let i = 0; i < operations; i++) {
      const [x, y] = batch(size);
      optimizer.minimize(() => loss(x, y));
      tf.dispose([x, y]);
    }
  };
  const check = () => tf.tidy(() => loss(...batch(size)).dataSync()[0]);
  run();
  return { run, operations, check, release: () => (model.dispose(), optimizer.dispose()) };
}

function measure({ run, operations }, timings) {
  run();
  return Array.from({ length: timings }, () => {
    const began = performance.now();
    run();
    return (performance.now() - began) / operations;
  });
}

let work;
const answers = {
  prepare: (request) => ((work = prepare(request)), {}),
  measure: ({ timings }) => ({ milliseconds: measure(work, timings) }),
  check: () => ({ check: work.check() }),
  release: () => (work.release(), {}),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = answers[request.do](request);
  } catch (error) {
    answer = { error: error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
