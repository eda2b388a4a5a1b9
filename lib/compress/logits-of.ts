import { usesOf } from '../ir/edit';
import type { Graph } from '../ir/graph';

/** What a Softmax or LogSoftmax at a graph output reads, otherwise the output itself. */
export function logitsOf(graph: Graph, output: string): string {
  const producer = usesOf(graph).producer(output);
  return producer?.op === 'Softmax' || producer?.op === 'LogSoftmax' ? producer.inputs[0] : output;
}
