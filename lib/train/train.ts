import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { Rng } from '../core/rng';
import type { Batch, Dataset } from '../ir/dataset';
import type { Evaluate, Graph } from '../ir/graph';
import { type Tensor, tensorFrom, viewAs } from '../ir/tensor';
import { batchFeeds } from './batch-feeds';
import { separateBatchNorm } from './batch-norm';
import { drawDropout } from './dropout';
import { zeros } from './initialise';
import { crossEntropy } from './losses';
import { multiplied, renewMasks, withMasks } from './masking';
import { readAhead } from './read-ahead';
import { Rescue } from './rescue';
import { sgd } from './sgd';
import { buildStep, carriedBy, type TrainingStep } from './step';
import type { TrainOptions, TrainState } from './train-options';
import { trainableParameters } from './trainable';

/**
 * The graph with trained initializers. Every epoch sees the samples in a new order; a last batch that is not full is left
 * out, so the step's shapes are fixed. `evaluate` gets the same step graph every time and should keep its session.
 * @throws E_OPERATOR_UNSUPPORTED when the graph cannot be trained, E_GRAPH_INVALID when nothing in it moves, E_LOSS, E_DATA_MISMATCH (also when the dataset shrinks
 * while it is read), E_TRAINING when the loss is not finite at lower rates either (see `Rescue`), E_CHECKPOINT, E_INTERRUPTED when the signal aborts
 */
export async function train(model: Graph, dataset: Dataset, options: TrainOptions, evaluate: Evaluate): Promise<Graph> {
  const graph = separateBatchNorm(model);
  const step = prepareStep(graph, options);
  if (step.parameters.length === 0 && step.statistics.length === 0) throw untrainable();
  const perEpoch = Math.floor(dataset.count / options.batchSize);
  if (perEpoch === 0) throw tooFew(`at least ${options.batchSize} samples (one batch)`, dataset.count);
  const steps = perEpoch * options.epochs;
  const { masking, resume, checkpoint } = options;
  const orders = new Rng(options.seed);
  const startMs = options.clock?.() ?? 0;
  const begun = resume?.step ?? 0;
  const start = startState(graph, step, options);
  const rescue = new Rescue(start, resume?.tensors);
  let state: State = resume ? resumed(step, resume) : start;
  let done = begun;
  const stateAt = () => ({ step: done, tensors: new Map([...state, ...rescue.tensors()]) });
  // A last good state at a lower rate; masks stay what they have become, since schedules count on them.
  const rescued = (failedAt: number, reason: string): State => {
    const good = failedAt === 1 ? undefined : rescue.failed(failedAt);
    if (!good) throw diverged(failedAt, reason, rescue.rateFactor);
    options.onRescue?.(rescue.last!);
    return restored(step, good, state, masking);
  };
  if (rescue.last) options.onRescue?.(rescue.last);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const seed = orders.nextUint32();
    const end = (epoch + 1) * perEpoch;
    if (done >= end) continue;
    const skip = done - epoch * perEpoch;
    for await (const batch of readAhead(dataset.batches({ size: options.batchSize, seed, skip }))) {
      if (options.signal?.aborted) {
        if (done > begun) await checkpoint?.save(stateAt());
        throw new HoneError('E_INTERRUPTED', { what: `training after step ${done}` });
      }
      if (batch.count < options.batchSize) break;
      if (masking) state = renewMasks(state, step.parameters, masking, { step: done, steps });
      const feeds = await feedsFor(step, options, batch, state, { done, steps, rateFactor: rescue.rateFactor });
      const results = await evaluate(step.graph, feeds, step.graph.outputs);
      const loss = viewAs(results.get(step.loss)!, 'float32')[0];
      done++;
      if (!rescue.diverges(loss)) {
        rescue.passed(done, state, loss);
        const carried = carriedBy(step).map(({ input, output }) => [input, results.get(output)!] as const);
        state = new Map([...state, ...carried]);
      } else {
        requireFinite(batch, done);
        state = rescued(done, `the loss is ${loss}`);
      }
      if (done === end) {
        const broken = notFinite(step, state);
        if (broken !== undefined) state = rescued(done, `'${broken}' is not finite`);
      }
      const etaS = options.clock && ((options.clock() - startMs) / 1000 / (done - begun)) * (steps - done);
      options.onProgress?.({ step: done, steps, epoch, loss, etaS });
      if (done === end) await options.onEpoch?.(epoch + 1, resultOf(graph, step, state));
      if (checkpoint && done % checkpoint.everySteps === 0) await checkpoint.save(stateAt());
      if (done === end) break;
    }
    if (done < end)
      throw tooFew(`${dataset.count} samples in ${dataset.name}`, (done - epoch * perEpoch) * options.batchSize);
  }
  return resultOf(graph, step, state);
}

/** State of a run by input name. */
type State = ReadonlyMap<string, Tensor>;

function untrainable(): HoneError {
  const message = 'no layer has weights that training moves (Conv, Gemm, MatMul, LSTM, ...)';
  const diagnostics = formatDiagnostics([{ severity: 'error', kind: 'nothing-to-train', where: 'graph', message }]);
  return new HoneError('E_GRAPH_INVALID', { diagnostics });
}

function prepareStep(graph: Graph, options: TrainOptions): TrainingStep {
  const { masking, trainable = trainableParameters(graph) } = options;
  for (const name of masking?.masks.keys() ?? [])
    if (!trainable.includes(name))
      throw new HoneError('E_INTERNAL', { message: `'${name}' has a mask and is not trained` });
  const step = buildStep(graph, {
    ...options,
    trainable,
    loss: options.loss ?? crossEntropy(),
    optimizer: options.optimizer ?? sgd(),
    masked: [...(masking?.masks.keys() ?? [])],
    masking: masking?.mode,
    movement: masking?.movement,
  });
  if (!('graph' in step))
    throw new HoneError('E_OPERATOR_UNSUPPORTED', {
      count: step.length,
      what: 'training',
      diagnostics: formatDiagnostics(step),
    });
  for (const name of options.schedules?.keys() ?? [])
    if (!step.graph.inputs.includes(name))
      throw new HoneError('E_LOSS', {
        value: name,
        reason: 'it has a schedule, and the loss has no input of that name',
      });
  return step;
}

/** Everything that is carried, before the first step. */
function startState(graph: Graph, step: TrainingStep, { masking }: TrainOptions): ReadonlyMap<string, Tensor> {
  const state = new Map<string, Tensor>();
  for (const { name, input, slots, score, average } of step.parameters) {
    const start = graph.initializers.get(name)!;
    state.set(input, start);
    if (average) state.set(average.input, start);
    for (const { input: place, dims } of [...slots, ...(score ? [score] : [])]) state.set(place, zeros(dims));
  }
  for (const { name, input } of step.statistics) state.set(input, graph.initializers.get(name)!);
  return masking ? withMasks(state, step.parameters, masking, masking.masks) : state;
}

/** State of an earlier run after checks against this one's step. */
function resumed(step: TrainingStep, { step: done, tensors }: TrainState): ReadonlyMap<string, Tensor> {
  const masks = step.parameters.flatMap(({ mask, dims }) => (mask === undefined ? [] : [{ input: mask, dims }]));
  const needed = [...carriedBy(step), ...masks];
  for (const { input, dims } of needed) {
    const found = tensors.get(input)?.dims;
    if (String(found) === String(dims) && found) continue;
    const reason = `'${input}': expected [${dims}], found ${found ? `[${found}]` : 'nothing'}`;
    throw new HoneError('E_CHECKPOINT', { path: `of step ${done}`, reason });
  }
  return new Map(needed.map(({ input }) => [input, tensors.get(input)!]));
}

/** A state that was good, without the optimiser's memory, under the masks of `current`. */
function restored({ parameters }: TrainingStep, good: State, current: State, masking: TrainOptions['masking']): State {
  const state = new Map(good);
  for (const { input, dims } of parameters.flatMap(({ slots }) => slots)) state.set(input, zeros(dims));
  const masks = new Map(
    parameters.flatMap(({ name, mask }) => (mask === undefined ? [] : [[name, current.get(mask)!] as const])),
  );
  return masking ? withMasks(state, parameters, masking, masks) : state;
}

/** All inputs of a step. */
async function feedsFor(
  step: TrainingStep,
  options: TrainOptions,
  batch: Batch,
  state: ReadonlyMap<string, Tensor>,
  { done, steps, rateFactor }: { readonly done: number; readonly steps: number; readonly rateFactor: number },
): Promise<Map<string, Tensor>> {
  const { learningRate, schedules = new Map(), feedsOf, seed } = options;
  const progress = done / steps;
  const scalar = (value: number) => tensorFrom('float32', [], [value]);
  const feeds = new Map([...state, ...drawDropout(step.dropout, seed, done), ...((await feedsOf?.(batch)) ?? [])]);
  const rate = typeof learningRate === 'number' ? learningRate : learningRate(progress);
  feeds.set(step.learningRate, scalar(rate * rateFactor));
  for (const { input, at } of step.scalars) feeds.set(input, scalar(at(done + 1)));
  for (const [name, schedule] of schedules) feeds.set(name, scalar(schedule(progress)));
  for (const [name, tensor] of batchFeeds(step.graph, batch, feeds)) feeds.set(name, tensor);
  return feeds;
}

/** The model with what was trained; masks are applied. */
function resultOf(graph: Graph, step: TrainingStep, state: State): Graph {
  const initializers = new Map(graph.initializers);
  for (const { name, input, average, mask } of step.parameters) {
    const value = state.get((average ?? { input }).input)!;
    initializers.set(name, mask === undefined ? value : multiplied(value, state.get(mask)!));
  }
  for (const { name, input } of step.statistics) initializers.set(name, state.get(input)!);
  return { ...graph, initializers };
}

/** The first parameter, or average or statistic, that holds NaN or infinity. */
function notFinite({ parameters, statistics }: TrainingStep, state: State): string | undefined {
  const places = [
    ...parameters.map(({ name, input, average }) => ({ name, input: average?.input ?? input })),
    ...statistics,
  ];
  return places.find(({ input }) => !viewAs(state.get(input)!, 'float32').every(Number.isFinite))?.name;
}

/** @throws E_TRAINING when it is the samples that are not finite: no learning rate mends that */
function requireFinite({ inputs }: Batch, step: number): void {
  for (const [name, tensor] of inputs)
    if (tensor.type === 'float32' && !viewAs(tensor, 'float32').every(Number.isFinite))
      throw new HoneError('E_TRAINING', { step, reason: `samples of '${name}' hold values that are not finite` });
}

function diverged(step: number, reason: string, rateFactor: number): HoneError {
  const rate = rateFactor < 1 ? `, also at ${rateFactor} of the learning rate` : '';
  return new HoneError('E_TRAINING', { step, reason: `${reason}${rate}` });
}

function tooFew(expected: string, found: number): HoneError {
  return new HoneError('E_DATA_MISMATCH', { expected, found: String(found) });
}
