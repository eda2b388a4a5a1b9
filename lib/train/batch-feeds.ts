import { HoneError } from '../core/error';
import type { Batch } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import { type Tensor, tensorOf } from '../ir/tensor';
import { LABELS } from './losses';

/**
 * All that `graph` reads and `known` does not hold, from a batch: its arrays by name, and its labels as int32 `labels`.
 * @throws E_DATA_MISMATCH for what is missing, has another shape, or is the label of no class
 */
export function batchFeeds(graph: Graph, batch: Batch, known: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const feeds = new Map<string, Tensor>();
  for (const name of graph.inputs) {
    if (known.has(name)) continue;
    const { type, shape } = graph.values.get(name)!;
    const tensor = batch.inputs.get(name) ?? (name === LABELS ? labelsOf(graph, batch) : undefined);
    if (!tensor) throw missing(name, batch);
    if (tensor.type !== type || String(tensor.dims) !== String(shape))
      throw mismatch(`'${name}' as ${type}[${shape}]`, `${tensor.type}[${tensor.dims}]`);
    feeds.set(name, tensor);
  }
  return feeds;
}

function labelsOf(graph: Graph, { count, labels }: Batch): Tensor {
  if (!labels) throw mismatch('labelled samples', 'no labels');
  for (const classes of classCounts(graph)) {
    const wrong = labels.find((label) => label < 0 || label >= classes);
    if (wrong !== undefined) throw mismatch(`labels from 0 to ${classes - 1}`, `a label ${wrong}`);
  }
  return tensorOf('int32', [count], Int32Array.from(labels));
}

/** Number of classes of every loss that reads the labels. */
function classCounts(graph: Graph): number[] {
  return graph.nodes
    .filter(({ op, inputs }) => op === 'SoftmaxCrossEntropyLoss' && inputs[1] === LABELS)
    .map(({ inputs }) => graph.values.get(inputs[0])?.shape?.[1])
    .filter((classes) => typeof classes === 'number');
}

function missing(name: string, batch: Batch): HoneError {
  return mismatch(`an array named '${name}'`, [...batch.inputs.keys()].join(', ') || 'none');
}

function mismatch(expected: string, found: string): HoneError {
  return new HoneError('E_DATA_MISMATCH', { expected, found });
}
