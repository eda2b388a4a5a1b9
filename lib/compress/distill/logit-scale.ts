import type { Dataset } from '../../ir/dataset';
import { typeOf, usesOf } from '../../ir/edit';
import type { Dim, Evaluate, Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { feedsOf } from '../feeds';
import { logitsOf } from '../logits-of';

/** Largest logit above the mean of all, as networks that are trained on inputs of usual size end with at most. */
const USUAL_MARGIN = 20;
/** Samples that tell. */
const SAMPLES = 64;

/** Classes of an output with this shape; undefined when it is no distribution over classes. */
export function classCount(graph: Graph, output: string, shape: readonly Dim[]): number | undefined {
  const extents = shape.slice(1).filter((extent): extent is number => extent !== 1);
  const isSigmoid = usesOf(graph).producer(output)?.op === 'Sigmoid';
  return extents.length === 1 && !isSigmoid ? extents[0] : undefined;
}

/**
 * What the logits of the first output are to be divided by before a loss reads them: 1 for most networks, and more where the
 * largest logit stands on average more than 20 above the mean, as in networks that read raw inputs. A Softmax, also at a
 * temperature of 4, gives zeros and a one there: a loss of such logits tells nothing of most samples and all too much of few,
 * and temperatures of every size mean the same thing only beside the spread of logits (Guo et al. 2017, section 4; Sun et al.
 * 2024). Expects types to be known.
 */
export async function logitScale(graph: Graph, samples: Dataset, evaluate: Evaluate): Promise<number> {
  const logits = logitsOf(graph, graph.outputs[0]);
  const type = typeOf(graph, logits);
  if (type?.type !== 'float32' || !type.shape) return 1;
  const classes = classCount(graph, graph.outputs[0], type.shape);
  if (classes === undefined) return 1;
  const few = samples.select(Array.from({ length: Math.min(SAMPLES, samples.count) }, (_, index) => index));
  let [sum, count] = [0, 0];
  for await (const { inputs } of feedsOf(graph, few)) {
    const values = viewAs((await evaluate(graph, inputs, [logits])).get(logits)!, 'float32');
    for (let at = 0; at + classes <= values.length; at += classes) {
      const row = values.subarray(at, at + classes);
      sum += Math.max(...row) - row.reduce((all, value) => all + value, 0) / classes;
      count++;
    }
  }
  const margin = count > 0 ? sum / count : 0;
  return Number.isFinite(margin) ? Math.max(1, margin / USUAL_MARGIN) : 1;
}
