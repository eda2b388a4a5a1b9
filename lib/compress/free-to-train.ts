import type { Dataset } from '../ir/dataset';
import type { Evaluate, Graph } from '../ir/graph';
import { viewAs } from '../ir/tensor';
import { freeBatch } from '../passes/free-batch';
import { inferShapes } from '../passes/infer-shapes';
import { feedsOf } from './feeds';

/** Largest difference of outputs, beside their power, that order of summation makes. */
const ROUNDING = 1e-6;

/**
 * The graph for batches of any size, where it fixes its batch (as exporters for one picture do) and gives the same outputs for
 * several samples at once as one by one; the graph itself otherwise.
 * @throws E_DATA_MISMATCH when the samples do not fit
 */
export async function freeToTrain(graph: Graph, samples: Dataset, evaluate: Evaluate): Promise<Graph> {
  const known = inferShapes(graph).graph;
  const freed = freeBatch(known);
  const fixed = known.values.get(known.inputs[0])?.shape?.[0];
  if (!freed || typeof fixed !== 'number' || samples.count < 2 * fixed) return graph;
  const few = samples.select(Array.from({ length: 2 * fixed }, (_, index) => index));
  const runs = feedsOf(known, few);
  const [name] = known.outputs.filter((output) => known.values.get(output)?.type === 'float32');
  if (name === undefined) return graph;
  for await (const { inputs } of few.batches({ size: 2 * fixed })) {
    if (known.inputs.some((input) => inputs.get(input)?.dims.length !== known.values.get(input)!.shape!.length))
      return graph;
    const together = viewAs((await evaluate(freed, inputs, [name])).get(name)!, 'float32');
    let [at, power, noise] = [0, 0, 0];
    for await (const { inputs: own } of runs)
      for (const value of viewAs((await evaluate(known, own, [name])).get(name)!, 'float32')) {
        power += value ** 2;
        noise += (value - (together[at++] ?? Number.NaN)) ** 2;
      }
    if (!(at === together.length && noise <= ROUNDING * power)) return graph;
  }
  return freed;
}
