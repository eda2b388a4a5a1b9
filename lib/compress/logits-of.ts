import { usesOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { distributionOf, hasTrait } from '../ops/facts';

/** What a Softmax or LogSoftmax at a graph output reads (behind a change of shape too), otherwise the output itself. */
export function logitsOf(graph: Graph, output: string): string {
  const uses = usesOf(graph);
  let producer = uses.producer(output);
  while (producer && hasTrait(producer, 'relabels')) producer = uses.producer(producer.inputs[0]);
  return producer && distributionOf(producer) ? producer.inputs[0] : output;
}
