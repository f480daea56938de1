import type { CompileOptions, Graph, Tensor } from '@flow-matching/tensor';
import { planMemory } from '../memory/planMemory.ts';
import { checkLimits } from '../memory/checkLimits.ts';
import type { AdapterProfile } from './adapterProfile.ts';
import { chooseStored } from './chooseStored.ts';
import { dispatches } from './dispatches.ts';
import type { Program } from './program.ts';
import { schedule } from './schedule.ts';
import { splitConcatenations } from './splitConcatenations.ts';
import { splitProducts } from './splitProducts.ts';
import { splitReductions } from './splitReductions.ts';
import { writeKernel } from './writeKernel.ts';

/**
 * Compiles a graph that was prepared for the manifest to WGSL kernels and a memory plan.
 *
 * @throws BackendError if the adapter's limits are too low.
 */
export function compileProgram(
  source: Graph,
  aliases: NonNullable<CompileOptions['aliases']>,
  profile: AdapterProfile,
): Program {
  const graph = splitConcatenations(splitReductions(splitProducts(source, profile), profile));
  const replaced = new Map(aliases.map(([input, output]) => [graph.output(output), graph.input(input)]));
  const program = withAliases(graph, replaced, aliases, profile);
  // An output that cannot replace its input after all takes one more buffer.
  const fits = program.kernels.every(({ bindings }) => bindings.length <= profile.storageBuffers);
  return fits ? program : withAliases(graph, new Map(), aliases, profile);
}

/** A program whose kernels assume that outputs replace the given inputs. */
function withAliases(
  graph: Graph,
  replaced: ReadonlyMap<Tensor, Tensor>,
  aliases: NonNullable<CompileOptions['aliases']>,
  profile: AdapterProfile,
): Program {
  const scheduled = schedule(graph, chooseStored(graph), replaced, profile);
  checkLimits(scheduled.stored, profile);
  const order = dispatches(scheduled, profile);
  const { places, ...plan } = planMemory(graph, scheduled.stored, order, aliases);
  const memory = { stored: scheduled.stored, places, smallElements: plan.smallElements };
  return { ...plan, kernels: order.map((dispatch) => writeKernel(dispatch, memory, profile)) };
}
