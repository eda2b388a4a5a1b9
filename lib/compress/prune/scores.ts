import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { forEachGradient } from '../../train/gradient-pass';
import { crossEntropy } from '../../train/losses';
import { type ProductLayer, productLayer } from '../layer-inputs';
import type { MethodContext } from '../method';
import { collect, type Requests } from '../quantize/calibrate';
import type { Observer } from '../quantize/observer';
import { ColumnPower } from '../second-moment';
import { magnitudeScores } from './magnitude';
import type { Criterion } from './options';
import { randomScores } from './random';
import { snipScores } from './snip';
import type { Target } from './targets';
import { addTaylorScores } from './taylor';
import { wandaScores } from './wanda';

/** Worth of every element of each target, in the order of its tensor. */
export type Scores = ReadonlyMap<Target, Float64Array>;

/** Samples per gradient. */
const GRADIENT_BATCH = 32;

/**
 * Measures the worth of all weights of the targets once, in the graph as it is.
 * @throws E_DATA_MISMATCH naming the criterion when it needs labels and there are none, what the passes over the samples throw
 */
export async function measureScores(
  graph: Graph,
  targets: readonly Target[],
  criterion: Exclude<Criterion, 'movement' | 'sparsegpt'>,
  samples: number,
  context: MethodContext,
): Promise<Scores> {
  const weights = (target: Target) => viewAs(graph.initializers.get(target.weight)!, 'float32');
  switch (criterion) {
    case 'magnitude':
      return new Map(targets.map((target) => [target, magnitudeScores(weights(target))]));
    case 'random':
      return new Map(targets.map((target, index) => [target, randomScores(target.count, context.seed, index)]));
    case 'snip':
    case 'taylor':
      return gradientScores(graph, targets, criterion, samples, context);
    case 'wanda': {
      const observed = await observeLayers(
        graph,
        targets,
        first(context.data.calibration, samples),
        context,
        (layer) => [new ColumnPower(layer)],
      );
      return new Map(
        targets.map((target) => {
          const readers = observed.get(target)!.map(({ layer, statistics: [{ sums }] }) => ({ layer, power: sums }));
          return [target, wandaScores(weights(target), readers)];
        }),
      );
    }
  }
}

/** A layer that reads a target, with what was gathered of its inputs. */
export interface Observed<S> {
  readonly layer: ProductLayer;
  readonly statistics: readonly S[];
}

/**
 * Runs the samples and shows the inputs of every layer that reads a target to its statistics.
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function observeLayers<S extends Observer>(
  graph: Graph,
  targets: readonly Target[],
  samples: Dataset,
  context: MethodContext,
  make: (layer: ProductLayer) => readonly S[],
): Promise<ReadonlyMap<Target, readonly Observed<S>[]>> {
  const requests = new Map<string, Observer[]>();
  const observed = new Map<Target, Observed<S>[]>();
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
export function unmeasurable(graph: Graph, { uses }: Target): string | undefined {
  return uses
    .map(({ node, index }) => productLayer(graph, node, index))
    .find((layer): layer is string => typeof layer === 'string');
}

/** The first `count` samples of a dataset. */
export function first(dataset: Dataset, count: number): Dataset {
  if (dataset.count <= count) return dataset;
  return dataset.select(Array.from({ length: count }, (_, index) => index));
}

/** Worth of weights from gradients of the loss on labelled training samples. */
async function gradientScores(
  graph: Graph,
  targets: readonly Target[],
  criterion: 'snip' | 'taylor',
  samples: number,
  context: MethodContext,
): Promise<Scores> {
  const { data, evaluate, signal, onProgress } = context;
  const dataset = data.training && first(data.training, samples);
  if (!dataset?.hasLabels)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `labelled training samples for the criterion ${criterion} (wanda and sparsegpt need no labels)`,
      found: dataset ? `no labels in ${dataset.name}` : 'no training samples',
    });
  const sums = new Map(targets.map((target) => [target, new Float64Array(target.count)]));
  const weights = new Map(targets.map(({ weight }) => [weight, viewAs(graph.initializers.get(weight)!, 'float32')]));
  let done = 0;
  await forEachGradient(
    graph,
    dataset,
    {
      loss: crossEntropy(),
      wanted: targets.map(({ weight }) => weight),
      batchSize: Math.min(GRADIENT_BATCH, dataset.count),
      ...(signal && { signal }),
    },
    evaluate,
    (gradients, count) => {
      const share = count / dataset.count;
      for (const [target, sum] of sums) {
        const gradient = viewAs(gradients.get(target.weight)!, 'float32');
        if (criterion === 'taylor') addTaylorScores(sum, weights.get(target.weight)!, gradient, share);
        else for (let index = 0; index < sum.length; index++) sum[index] += share * gradient[index];
      }
      done += count;
      onProgress?.('measure gradients', done, dataset.count);
    },
  );
  if (criterion === 'taylor') return sums;
  return new Map([...sums].map(([target, gradient]) => [target, snipScores(weights.get(target.weight)!, gradient)]));
}
