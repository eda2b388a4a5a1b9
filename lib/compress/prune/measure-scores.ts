import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { measureGradients } from '../gradients';
import { type ProductLayer, productLayer } from '../layer-inputs';
import type { MethodContext } from '../method';
import { collect, type Requests } from '../quantize/calibrate';
import type { Observer } from '../quantize/observer';
import { ColumnPower } from '../second-moment';
import type { PruneTarget } from './targets';

/** Worth of every element of each target, in the order of its tensor. */
export type Scores = ReadonlyMap<PruneTarget, Float64Array>;

/** What the worth of all weights is measured with, once, in the graph as it is. */
export interface Measurement {
  readonly graph: Graph;
  readonly targets: readonly PruneTarget[];
  /** Most samples to measure on. */
  readonly samples: number;
  readonly context: MethodContext;
}

/** Worth of weights from the power of what they are multiplied with, `[groups, columns]` per layer that reads them. */
export async function measureOnInputs(
  { graph, targets, samples, context }: Measurement,
  score: (
    target: PruneTarget,
    readers: readonly { readonly layer: ProductLayer; readonly power: Float64Array }[],
  ) => Float64Array,
): Promise<Scores> {
  const inputs = first(context.data.calibration, samples);
  const observed = await observeLayers(graph, targets, inputs, context, (layer) => [new ColumnPower(layer)]);
  const readersOf = (target: PruneTarget) =>
    observed.get(target)!.map(({ layer, statistics: [{ sums }] }) => ({ layer, power: sums }));
  return new Map(targets.map((target) => [target, score(target, readersOf(target))]));
}

/** A layer that reads a target, with what was gathered of its inputs. */
export interface ObservedReader<S> {
  readonly layer: ProductLayer;
  readonly statistics: readonly S[];
}

/**
 * Runs the samples and shows the inputs of every layer that reads a target to its statistics.
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function observeLayers<S extends Observer>(
  graph: Graph,
  targets: readonly PruneTarget[],
  samples: Dataset,
  context: MethodContext,
  make: (layer: ProductLayer) => readonly S[],
): Promise<ReadonlyMap<PruneTarget, readonly ObservedReader<S>[]>> {
  const requests = new Map<string, Observer[]>();
  const observed = new Map<PruneTarget, ObservedReader<S>[]>();
  for (const target of targets)
    for (const { node, index } of target.uses) {
      const layer = productLayer(graph, node, index);
      if (typeof layer === 'string') throw new HoneError('E_INTERNAL', { message: `${node.name}: ${layer}` });
      const statistics = make(layer);
      observed.set(target, [...(observed.get(target) ?? []), { layer, statistics }]);
      requests.set(layer.input, [...(requests.get(layer.input) ?? []), ...statistics]);
    }
  const { evaluate, signal, onProgress } = context;
  await collect(graph, samples, requests as Requests, {
    evaluate,
    ...(signal && { signal }),
    onBatch: (done, total) => onProgress?.('measure layer inputs', done, total),
  });
  return observed;
}

/** Why data cannot tell the worth of a target's weights; undefined when it can. */
export function unmeasurable(graph: Graph, { uses }: PruneTarget): string | undefined {
  return uses
    .map(({ node, index }) => productLayer(graph, node, index))
    .find((layer): layer is string => typeof layer === 'string');
}

/** The first `count` samples of a dataset. */
export function first(dataset: Dataset, count: number): Dataset {
  if (dataset.count <= count) return dataset;
  return dataset.select(Array.from({ length: count }, (_, index) => index));
}

/**
 * What `add` sums up per weight from the gradients of the mean loss of batches of labelled training samples; `share` is a batch's
 * part of all samples.
 * @throws E_DATA_MISMATCH naming the criterion when there are no labels, what the passes over the samples throw
 */
export async function measureOnGradients(
  criterion: string,
  { graph, targets, samples, context }: Measurement,
  add: (sum: Float64Array, weights: Float32Array, gradient: Float32Array, share: number) => void,
): Promise<Scores> {
  const { data } = context;
  const dataset = data.training && first(data.training, samples);
  if (!dataset?.hasLabels)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `labelled training samples for the criterion ${criterion} (wanda and sparsegpt need no labels)`,
      found: dataset ? `no labels in ${dataset.name}` : 'no training samples',
    });
  const sums = new Map(targets.map((target) => [target, new Float64Array(target.count)]));
  const weights = new Map(targets.map(({ weight }) => [weight, viewAs(graph.initializers.get(weight)!, 'float32')]));
  const wanted = targets.map(({ weight }) => weight);
  await measureGradients(graph, dataset, wanted, context, (gradients, share) => {
    for (const [target, sum] of sums)
      add(sum, weights.get(target.weight)!, viewAs(gradients.get(target.weight)!, 'float32'), share);
  });
  return sums;
}
