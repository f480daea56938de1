import { BackendError, formatType, type Node } from '@flow-matching/core';

/**
 * An error of ONNX Runtime in terms of the user's program: its messages carry the names of nodes, which lead back to an operator
 * and the line that asked for it.
 */
export function runtimeError(cause: unknown, doing: 'compile' | 'run', nodes: ReadonlyMap<string, Node>): BackendError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const label = message.match(/[A-Za-z0-9]+#\d+/g)?.find((candidate) => nodes.has(candidate));
  const node = label === undefined ? undefined : nodes.get(label);
  const where = node ? ` in ${node.operator.name}(${node.inputs.map(formatType).join(', ')})` : '';
  return new BackendError(`ONNX Runtime could not ${doing} the graph${where}: ${message}`, {
    callSite: node?.callSite,
    cause,
  });
}
