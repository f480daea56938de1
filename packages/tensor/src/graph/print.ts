import { formatType } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import type { Attributes, AttributeValue } from './operator.ts';
import type { Tensor } from './tensor.ts';

/** The listing of a graph: inputs, one numbered line per node, outputs. */
export function printGraph(graph: Graph): string {
  const names = new Map<Tensor, string>();
  for (const { name, tensor } of graph.inputs) names.set(tensor, name);
  const lines = [`graph (${graph.inputs.map(({ name, tensor }) => `${name}: ${formatType(tensor)}`).join(', ')}) {`];
  let next = 0;
  for (const node of graph.nodes) {
    if (node.operator.name === 'Input') continue;
    const results = node.outputs.map((tensor) => {
      const name = `%${next++}`;
      names.set(tensor, name);
      return `${name}: ${formatType(tensor)}`;
    });
    const operands = node.inputs.map((tensor) => names.get(tensor)).join(', ');
    lines.push(`  ${results.join(', ')} = ${node.operator.name}(${operands})${printAttributes(node.attributes)}`);
  }
  lines.push(`  return ${graph.outputs.map(({ name, tensor }) => `${name} = ${names.get(tensor)}`).join(', ')}`, '}');
  return lines.join('\n');
}

function printAttributes(attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${printValue(value!)}`)
    .join('');
}

function printValue(value: AttributeValue): string {
  if (typeof value !== 'object') return String(value);
  const shown = Array.from(value as ArrayLike<number>).slice(0, 8);
  return `[${shown.join(', ')}${value.length > shown.length ? `, … ${value.length} values` : ''}]`;
}
