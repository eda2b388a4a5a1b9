import { typeOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { batchSymbols, bindToOneSample } from './bind-inputs';
import { bindShapes, inferShapes } from './infer-shapes';
import { upgrade } from './upgrade';

/**
 * The graph as it is when it takes any number of samples at once; with a batch of 1 when its inside does not (a Reshape to
 * `[1, ...]` behind an input `[N, ...]`): two samples are then a contradiction, or leave an output as it is with one.
 */
export function fixBatch(graph: Graph): Graph {
  const symbols = [...batchSymbols(graph)];
  if (symbols.length === 0) return graph;
  const { graph: dialect } = upgrade(graph);
  const run = (samples: number) =>
    inferShapes(bindShapes(dialect, Object.fromEntries(symbols.map((symbol) => [symbol, samples]))));
  const [one, two] = [run(1), run(2)];
  const errors = ({ diagnostics }: typeof one) => diagnostics.filter(({ severity }) => severity === 'error').length;
  const still = graph.outputs.some((name) => {
    const [before, after] = [one, two].map((result) => typeOf(result.graph, name)?.shape);
    return before?.length !== 0 && before?.every((dim, axis) => typeof dim === 'number' && dim === after?.[axis]);
  });
  return still || errors(two) > errors(one) ? bindToOneSample(graph) : graph;
}
