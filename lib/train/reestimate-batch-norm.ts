import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { attributes } from '../ir/attribute';
import type { Dataset } from '../ir/dataset';
import { removeDead } from '../ir/edit';
import type { Evaluate, Graph } from '../ir/graph';
import { tensorFrom, viewAs } from '../ir/tensor';
import { hasStatistics } from '../ops/facts';
import { batchFeeds } from './batch-feeds';
import { separateBatchNorm, trainBatchNorm } from './batch-norm';
import { bindBatch } from './step';

export interface ReestimateOptions {
  readonly batchSize: number;
  /** Full batches to read; fewer when the dataset has no more. */
  readonly batches: number;
  /** Decides which samples are read. */
  readonly seed: number;
}

/**
 * The graph with new running statistics: the plain average of what the batches show at every BatchNormalization, while all
 * of them normalise with the statistics of the batch. No labels are needed. For weights that were changed without training.
 * @throws E_OPERATOR_UNSUPPORTED for a graph whose batch size is fixed, E_DATA_MISMATCH without one full batch
 */
export async function reestimateBatchNorm(
  model: Graph,
  dataset: Dataset,
  options: ReestimateOptions,
  evaluate: Evaluate,
): Promise<Graph> {
  const graph = separateBatchNorm(model);
  const bound = bindBatch(graph, options.batchSize);
  if ('kind' in bound)
    throw new HoneError('E_OPERATOR_UNSUPPORTED', {
      count: 1,
      what: 'new batch-norm statistics',
      diagnostics: formatDiagnostics([bound]),
    });
  const { graph: training, statistics } = trainBatchNorm(bound);
  if (statistics.length === 0) return model;
  const observer = removeDead({ ...withoutMemory(training), outputs: statistics.map(({ output }) => output) });
  const state = new Map(statistics.map(({ name, input }) => [input, graph.initializers.get(name)!]));
  const sums = statistics.map(({ dims }) => new Float64Array(dims[0]));
  let count = 0;
  for await (const batch of dataset.batches({ size: options.batchSize, seed: options.seed })) {
    if (count === options.batches || batch.count < options.batchSize) break;
    const feeds = new Map([...state, ...batchFeeds(observer, batch, state)]);
    const results = await evaluate(observer, feeds, observer.outputs);
    statistics.forEach(({ output }, index) => {
      viewAs(results.get(output)!, 'float32').forEach((value, channel) => {
        sums[index][channel] += value;
      });
    });
    count++;
  }
  if (count === 0)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `at least ${options.batchSize} samples (one batch)`,
      found: `${dataset.count}`,
    });
  const averages = statistics.map(({ name, dims }, index) => {
    const values = Array.from(sums[index], (sum) => sum / count);
    return [name, tensorFrom('float32', dims, values)] as const;
  });
  return { ...graph, initializers: new Map([...graph.initializers, ...averages]) };
}

/** Running statistics that forget all that was before: those of the batch alone. */
function withoutMemory(graph: Graph): Graph {
  const momentum = attributes({ momentum: { kind: 'float', value: 0 } });
  const nodes = graph.nodes.map((node) =>
    hasStatistics(node) ? { ...node, attributes: new Map([...node.attributes, ...momentum]) } : node,
  );
  return { ...graph, nodes };
}
