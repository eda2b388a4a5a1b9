import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { Rng } from '../core/rng';
import type { Batch, Dataset } from '../ir/dataset';
import type { Evaluate, Graph } from '../ir/graph';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../ir/tensor';
import { zeros } from './initialise';
import { crossEntropy, LABELS } from './losses';
import type { Masking, TrainOptions } from './options';
import { sgd } from './sgd';
import { buildStep, type TrainingStep } from './step';
import { trainableParameters } from './trainable';

/**
 * The graph with trained initializers. Every epoch sees the samples in a new order; a last batch that is not full is left
 * out, so the step's shapes are fixed. `evaluate` gets the same step graph every time and should keep its session.
 * @throws E_OPERATOR_UNSUPPORTED when the graph cannot be trained, E_DATA_MISMATCH, E_INTERRUPTED when the signal aborts
 */
export async function train(graph: Graph, dataset: Dataset, options: TrainOptions, evaluate: Evaluate): Promise<Graph> {
  const step = prepareStep(graph, options);
  const perEpoch = Math.floor(dataset.count / options.batchSize);
  if (perEpoch === 0)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `at least ${options.batchSize} samples (one batch)`,
      found: `${dataset.count}`,
    });
  const steps = perEpoch * options.epochs;
  const fetches = step.graph.outputs;
  const orders = new Rng(options.seed);
  const startMs = options.clock?.() ?? 0;
  let carried = startValues(graph, step, options.masking?.masks);
  let done = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    for await (const batch of dataset.batches({ size: options.batchSize, seed: orders.nextUint32() })) {
      if (options.signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: `training after step ${done}` });
      if (batch.count < options.batchSize) continue;
      const { learningRate } = options;
      const rate = typeof learningRate === 'number' ? learningRate : learningRate(done / steps);
      const feeds = new Map([
        ...carried,
        ...batchFeeds(graph, step, batch),
        ...((await options.feedsOf?.(batch)) ?? []),
      ]);
      feeds.set(step.learningRate, tensorFrom('float32', [], [rate]));
      const results = await evaluate(step.graph, feeds, fetches);
      carried = nextValues(step, results, carried);
      done++;
      options.onProgress?.({
        step: done,
        steps,
        epoch,
        loss: viewAs(results.get(step.loss)!, 'float32')[0],
        etaS: options.clock && ((options.clock() - startMs) / 1000 / done) * (steps - done),
      });
    }
  }
  const trained = step.parameters.map(({ name, input }) => [name, carried.get(input)!] as const);
  return { ...graph, initializers: new Map([...graph.initializers, ...trained]) };
}

function prepareStep(graph: Graph, options: TrainOptions): TrainingStep {
  const step = buildStep(graph, {
    batchSize: options.batchSize,
    trainable: options.trainable ?? trainableParameters(graph),
    loss: options.loss ?? crossEntropy(),
    optimizer: options.optimizer ?? sgd(),
    masked: [...(options.masking?.masks.keys() ?? [])],
  });
  if ('graph' in step) return step;
  throw new HoneError('E_OPERATOR_UNSUPPORTED', {
    count: step.length,
    what: 'training',
    diagnostics: formatDiagnostics(step),
  });
}

/** Parameters, optimiser state and masks before the first step, by input name. */
function startValues(graph: Graph, step: TrainingStep, masks: Masking['masks'] | undefined): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const { name, input, slots, mask } of step.parameters) {
    const start = graph.initializers.get(name)!;
    if (mask === undefined) values.set(input, start);
    else {
      values.set(mask, masks!.get(name)!);
      values.set(input, multiply(start, masks!.get(name)!));
    }
    for (const slot of slots) values.set(slot.input, zeros(slot.dims));
  }
  return values;
}

/** The same inputs for the next step: outputs take the place of what they renew, tensors are passed on uncopied. */
function nextValues(
  step: TrainingStep,
  results: ReadonlyMap<string, Tensor>,
  before: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const values = new Map(before);
  for (const parameter of step.parameters)
    for (const { input, output } of [parameter, ...parameter.slots]) values.set(input, results.get(output)!);
  return values;
}

/** Inputs of the model and labels, as far as the step reads them. */
function batchFeeds(graph: Graph, step: TrainingStep, batch: Batch): Map<string, Tensor> {
  const feeds = new Map<string, Tensor>();
  for (const name of graph.inputs) {
    const tensor = batch.inputs.get(name);
    if (!tensor)
      throw new HoneError('E_DATA_MISMATCH', {
        expected: `an array named '${name}'`,
        found: [...batch.inputs.keys()].join(', ') || 'none',
      });
    feeds.set(name, tensor);
  }
  if (!step.graph.inputs.includes(LABELS)) return feeds;
  if (!batch.labels) throw new HoneError('E_DATA_MISMATCH', { expected: 'labelled samples', found: 'no labels' });
  return feeds.set(LABELS, tensorOf('int32', [batch.count], batch.labels as Int32Array<ArrayBuffer>));
}

function multiply(a: Tensor, b: Tensor): Tensor {
  const [left, right] = [viewAs(a, 'float32'), viewAs(b, 'float32')];
  return tensorOf(
    'float32',
    a.dims,
    Float32Array.from(left, (value, index) => value * right[index]),
  );
}
