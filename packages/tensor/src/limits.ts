// Upper bounds of numeric options, shared by schemas, constructors and command lines. This file imports nothing, because help texts load it.

/** Largest count: backends count in i32. */
export const largestCount = 2 ** 31 - 1;

/** Most points in a batch: backends index the elements of an array with 32 bits, and a hidden layer has hundreds per point. */
export const largestBatch = 2 ** 24;

/** Most fixed steps of a solve: times are f32, and with more steps some would start and end at the same time. */
export const largestStepCount = 2 ** 23;

/** Most points kept of a trajectory: near 1, f32 has no more distinct times. */
export const largestTrajectory = 2 ** 24;

/** Most samples of a solve: each has an entry in a list of statuses, and V8's lists have fewer than 2²⁷ entries. */
export const largestSampleCount = 2 ** 26;

/** Most Hutchinson probes per point: each is an input of the compiled graph and one more pass through the model. */
export const largestProbeCount = 1024;

/** Most elements of a typed array in Node 20. */
export const largestArray = 2 ** 32;

/** Most threads of a backend: operating systems refuse some tens of thousands. */
export const largestThreadCount = 1024;
