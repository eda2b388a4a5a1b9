import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Dataset } from '../ir/dataset';
import type { Evaluate, Graph } from '../ir/graph';
import { batchExtents } from '../ir/sample-axes';
import { type Tensor, viewAs } from '../ir/tensor';
import { batchFeeds } from './batch-feeds';
import { type Differentiated, differentiate } from './differentiate';
import type { LossBuilder } from './losses';
import { bindBatch, buildLoss } from './step';

export interface GradientPassOptions {
  readonly loss: LossBuilder;
  /** Initializers, inputs or inner values whose gradients are wanted. */
  readonly wanted: readonly string[];
  /** Samples per batch, unless the graph fixes their number. */
  readonly batchSize: number;
  /** Shuffles the samples; their own order when left out. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/**
 * Calls `onBatch` with dL/d`wanted` of every batch of the dataset and its number of samples; the last batch may be short, but is
 * left out where the graph fixes the number. The network behaves as at inference: statistics of BatchNormalization stay, nothing
 * is dropped.
 * @throws E_OPERATOR_UNSUPPORTED naming what has no gradient, E_LOSS, E_DATA_MISMATCH, E_CALIBRATION for gradients that are
 * not finite, E_INTERRUPTED
 */
export async function forEachGradient(
  graph: Graph,
  dataset: Dataset,
  options: GradientPassOptions,
  evaluate: Evaluate,
  onBatch: (gradients: ReadonlyMap<string, Tensor>, count: number) => void,
): Promise<void> {
  const { batchSize, seed, signal, wanted } = options;
  const bySize = new Map<number, Differentiated>();
  let done = 0;
  const fixed = fixedBatch(graph);
  const size = fixed ?? batchSize;
  for await (const batch of wholeBatches(dataset, fixed).batches({ size, ...(seed !== undefined && { seed }) })) {
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: `gradients after ${done} samples` });
    const backward = bySize.get(batch.count) ?? buildGradients(graph, options, batch.count);
    bySize.set(batch.count, backward);
    const names = wanted.map((value) => backward.gradients.get(value)!);
    const results = await evaluate(backward.graph, batchFeeds(backward.graph, batch, new Map()), names);
    const gradients = new Map(wanted.map((value, index) => [value, results.get(names[index])!] as const));
    for (const [value, gradient] of gradients)
      if (!viewAs(gradient, 'float32').every(Number.isFinite))
        throw new HoneError('E_CALIBRATION', { value, reason: 'its gradient is NaN or infinite' });
    onBatch(gradients, batch.count);
    done += batch.count;
  }
}

/**
 * The graph (batch size bound) with loss and gradients, for callers that feed it themselves (made-up images, for example).
 * Its outputs are the loss, then the gradients in the order of `wanted`.
 * @throws E_OPERATOR_UNSUPPORTED, E_LOSS
 */
export function buildGradients(
  graph: Graph,
  { loss, wanted }: Pick<GradientPassOptions, 'loss' | 'wanted'>,
  batchSize: number,
): Differentiated {
  const bound = bindBatch(graph, batchSize);
  if ('kind' in bound) throw unsupported([bound]);
  const forward = buildLoss(bound, loss, { batchNorm: false, dropout: false });
  if (!('graph' in forward)) throw unsupported(forward);
  const result = differentiate(forward.graph, forward.loss, wanted);
  if (!('graph' in result)) throw unsupported(result);
  return result;
}

/** The samples that fill batches of a fixed size. @throws E_DATA_MISMATCH when they fill none */
function wholeBatches(dataset: Dataset, size = 1): Dataset {
  const count = dataset.count - (dataset.count % size);
  if (count === dataset.count) return dataset;
  if (count === 0)
    throw new HoneError('E_DATA_MISMATCH', { expected: `at least one batch of ${size} samples`, found: dataset.count });
  return dataset.select(Array.from({ length: count }, (_, index) => index));
}

/** The number of samples per run that the graph's own inputs fix. */
function fixedBatch(graph: Graph): number | undefined {
  return [...batchExtents(graph).values()].find((extent) => typeof extent === 'number');
}

function unsupported(diagnostics: Parameters<typeof formatDiagnostics>[0]): HoneError {
  return new HoneError('E_OPERATOR_UNSUPPORTED', {
    count: diagnostics.length,
    what: 'gradients',
    diagnostics: formatDiagnostics(diagnostics),
  });
}
