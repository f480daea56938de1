import { BackendError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { formatType } from '../tensor/shape.ts';

/** Where an error of a runtime came up. */
export interface RuntimeFailure {
  /** The runtime's name for people. */
  readonly runtime: string;
  readonly cause: unknown;
  readonly doing: 'compile' | 'run';
  /** The nodes of the graph by what the runtime calls them in its messages. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** What such names look like. */
  readonly label: RegExp;
}

/**
 * An error of a runtime in terms of the user's program: its messages carry the names of nodes, which lead back to an operator and the line
 * that asked for it.
 */
export function runtimeError({ runtime, cause, doing, nodes, label }: RuntimeFailure): BackendError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const found = message.match(label)?.find((candidate) => nodes.has(candidate));
  const node = found === undefined ? undefined : nodes.get(found);
  const where = node ? ` in ${node.operator.name}(${node.inputs.map(formatType).join(', ')})` : '';
  return new BackendError(`${runtime} could not ${doing} the graph${where}: ${message}`, {
    callSite: node?.callSite,
    cause,
  });
}
