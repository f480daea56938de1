import {
  allocate,
  evaluateOperator,
  nodeDType,
  operatorError,
  prepareGraph,
  toStorage,
  yieldToEventLoop,
  type Graph,
  type HandleProgram,
  type HostArray,
  type Manifest,
  type Node,
  type PreparedGraph,
  type Tensor,
} from '@flow-matching/tensor';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { engineFailure } from './engineFailure.ts';
import type { StartedEngine } from './engines/engine.ts';
import { byDefinition } from './lowering/byDefinition.ts';
import type { EngineTable } from './lowering/index.ts';
import type { Lower } from './lowering/lowering.ts';
import { inStorage, Operations, upload } from './operations.ts';
import { wide } from './wide.ts';

interface Step {
  readonly node: Node;
  readonly lower: Lower;
  /** The tensors whose last use is here. */
  readonly spent: readonly Tensor[];
}

/** A graph as a list of steps, each a few kernels. */
export class InterpretedProgram implements HandleProgram<TensorInfo> {
  readonly randomness: PreparedGraph['randomness'];
  readonly #engine: StartedEngine;
  readonly #operations: Operations;
  readonly #graph: Graph;
  readonly #steps: readonly Step[];
  readonly #constants = new Map<Tensor, TensorInfo>();

  /** @throws UnsupportedError for an operator that the engine does not run. */
  constructor(engine: StartedEngine, operators: EngineTable, manifest: Manifest, source: Graph) {
    const { graph, randomness } = prepareGraph(source, manifest, `tfjs (${engine.kind.name})`);
    this.#engine = engine;
    this.#operations = new Operations(engine);
    this.#graph = graph;
    this.randomness = randomness;
    for (const { outputs } of graph.nodes) {
      const known = knownValue(outputs[0].node);
      if (known) this.#constants.set(outputs[0], upload(engine, known));
    }
    const lasts = lastUses(graph);
    this.#steps = graph.nodes
      .filter(({ operator, outputs }) => operator.name !== 'Input' && !this.#constants.has(outputs[0]))
      .map((node) => ({
        node,
        lower: lowerOf(node, operators, engine),
        spent: lasts.get(node) ?? [],
      }));
  }

  async run(inputs: Readonly<Record<string, TensorInfo>>): Promise<Record<string, TensorInfo>> {
    const { backend } = this.#engine;
    const failure = engineFailure(this.#engine);
    if (failure) throw failure;
    /** The values of this run, freed after their last use. */
    const own = new Map<Tensor, TensorInfo>();
    const given = new Map<Tensor, TensorInfo>(this.#constants);
    try {
      for (const { name, tensor } of this.#graph.inputs) given.set(tensor, inputs[name]);
      for (const step of this.#steps) {
        const operands = step.node.inputs.map((tensor) => own.get(tensor) ?? given.get(tensor)!);
        own.set(step.node.outputs[0], this.#compute(step, operands));
        for (const tensor of step.spent) {
          const value = own.get(tensor);
          if (value) backend.disposeData(value.dataId);
          own.delete(tensor);
        }
        // Kernels of the wasm and cpu engines are synchronous.
        const turn = yieldToEventLoop();
        if (turn) await turn;
      }
      return Object.fromEntries(
        this.#graph.outputs.map(({ name, tensor }) => {
          const value = own.get(tensor) ?? given.get(tensor)!;
          if (tensor.dtype === 'f16') return [name, this.#rounded(value, tensor)];
          backend.incRef(value.dataId);
          return [name, { ...value }];
        }),
      );
    } finally {
      for (const { dataId } of own.values()) backend.disposeData(dataId);
    }
  }

  /** A copy rounded to f16. */
  #rounded(value: TensorInfo, { shape, dtype }: Tensor): TensorInfo {
    const data = inStorage(this.#engine.elements(value), dtype);
    return upload(this.#engine, { data, shape, dtype });
  }

  #compute({ node, lower }: Step, operands: readonly TensorInfo[]): TensorInfo {
    let result: TensorInfo | undefined;
    try {
      return (result = lower(this.#operations, operands, node));
    } catch (cause) {
      // A WebAssembly trap leaves the module in an undefined state.
      if ((cause as Error).name === 'RuntimeError') this.#engine.lost = (cause as Error).message;
      throw operatorError({ runtime: `TensorFlow.js (${this.#engine.kind.name})`, cause, doing: 'run' }, node);
    } finally {
      this.#operations.finish(result);
    }
  }

  dispose(): void {
    for (const { dataId } of this.#constants.values()) this.#engine.backend.disposeData(dataId);
    this.#constants.clear();
  }
}

function lowerOf(node: Node, operators: EngineTable, { kind: { mostAxes = Infinity } }: StartedEngine): Lower {
  const tooMany = [...node.inputs, ...node.outputs].some(({ rank }) => rank > mostAxes);
  return tooMany ? byDefinition : operators.get(node.operator.name)![nodeDType(node)]!;
}

/** The value of a node that does not depend on inputs: constants, and results of empty arrays, which kernels refuse. */
function knownValue(node: Node): HostArray | undefined {
  const { operator, inputs, outputs } = node;
  const [{ shape, dtype, size }] = outputs;
  if (operator.name === 'Constant') {
    const { data } = node.attributes as unknown as { data: ArrayLike<number> };
    // Constants are not rounded to f16: a mean may divide by 70,000.
    return { data: toStorage(data, wide(dtype)), shape, dtype: wide(dtype) };
  }
  if (operator.name === 'Input') return undefined;
  if (size === 0) return { data: allocate(dtype, 0), shape, dtype };
  // For these two, an empty operand does not make the result empty.
  if (operator.name === 'Concat' || operator.name === 'ScatterAdd') return undefined;
  if (inputs.every((tensor) => tensor.size > 0)) return undefined;
  const operands = inputs.map((tensor) => ({
    data: allocate(tensor.dtype, tensor.size),
    shape: tensor.shape,
    dtype: tensor.dtype,
  }));
  return { data: toStorage(evaluateOperator(node, operands).data, dtype), shape, dtype };
}

/** Tensors by the node that uses them last; outputs are used after all nodes. */
function lastUses(graph: Graph): Map<Node, Tensor[]> {
  const last = new Map<Tensor, Node>();
  for (const node of graph.nodes) for (const tensor of node.inputs) last.set(tensor, node);
  for (const { tensor } of graph.outputs) last.delete(tensor);
  const byNode = new Map<Node, Tensor[]>();
  for (const [tensor, node] of last) byNode.set(node, [...(byNode.get(node) ?? []), tensor]);
  return byNode;
}
