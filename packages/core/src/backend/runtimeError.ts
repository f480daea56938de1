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
export function runtimeError({ nodes, label, ...failure }: RuntimeFailure): BackendError {
  const found = messageOf(failure.cause)
    .match(label)
    ?.find((candidate) => nodes.has(candidate));
  return operatorError(failure, found === undefined ? undefined : nodes.get(found));
}

/** An error of a runtime at a node, where that is known. */
export function operatorError(
  { runtime, cause, doing }: Pick<RuntimeFailure, 'runtime' | 'cause' | 'doing'>,
  node: Node | undefined,
): BackendError {
  const where = node ? ` in ${node.operator.name}(${node.inputs.map(formatType).join(', ')})` : '';
  return new BackendError(`${runtime} could not ${doing} the graph${where}: ${messageOf(cause)}`, {
    callSite: node?.callSite,
    cause,
  });
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
