import { BackendError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { formatType } from '../tensor/shape.ts';

/** Where a runtime error occurred. */
export interface RuntimeFailure {
  /** The runtime's name, for messages. */
  readonly runtime: string;
  readonly cause: unknown;
  readonly doing: 'compile' | 'run';
  /** The nodes of the graph by their names in the runtime's messages. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Matches such names. */
  readonly label: RegExp;
}

/**
 * Translates a runtime error to the user's program: the runtime's message contains the names of nodes, which give the operator
 * and the user's line.
 */
export function runtimeError({ nodes, label, ...failure }: RuntimeFailure): BackendError {
  const found = messageOf(failure.cause)
    .match(label)
    ?.find((candidate) => nodes.has(candidate));
  return operatorError(failure, found === undefined ? undefined : nodes.get(found));
}

/** A runtime error at a node, if the node is known. */
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
