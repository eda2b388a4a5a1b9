import type { Diagnostic } from '../core/diagnostic';
import { nameMaker, removeDead, renameReads, typeOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import { batchExtents } from '../ir/sample-axes';
import { bindShapes, inferShapes } from '../passes/infer-shapes';
import { type RunningStatistic, trainBatchNorm } from './batch-norm';
import { emitGradients } from './differentiate';
import { type DropoutMask, feedDropout } from './dropout';
import { createEmitter } from './emitter';
import type { LossBuilder } from './losses';
import { type Carried, emitUpdates, type StepParameter, type StepScalar, type UpdateOptions } from './parameters';

export interface StepOptions extends Omit<UpdateOptions, 'learningRate'> {
  /** Samples per step: the extent of the first axis of every input. */
  readonly batchSize: number;
  readonly loss: LossBuilder;
  /** Whether BatchNormalization uses the statistics of the batch; `train` when left out. */
  readonly batchNorm?: 'train' | 'frozen';
  /** Initializers that move. */
  readonly trainable: readonly string[];
  /** Trainable initializers that have masks. */
  readonly masked?: readonly string[];
}

/** One training step as a graph: model inputs, labels, state and scalars in; loss and new state out. */
export interface TrainingStep {
  readonly graph: Graph;
  /** Output: scalar loss before the update. */
  readonly loss: string;
  /** Input: scalar. */
  readonly learningRate: string;
  readonly parameters: readonly StepParameter[];
  /** Running statistics of BatchNormalization. */
  readonly statistics: readonly RunningStatistic[];
  /** Inputs that are drawn for every step. */
  readonly dropout: readonly DropoutMask[];
  /** Scalar inputs besides the learning rate and those of the loss. */
  readonly scalars: readonly StepScalar[];
}

/** Everything that a step renews. */
export function carriedBy(step: TrainingStep): readonly Carried[] {
  const { parameters, statistics } = step;
  const ofParameter = (parameter: StepParameter) => [
    parameter,
    ...parameter.slots,
    ...(parameter.score ? [parameter.score] : []),
    ...(parameter.average ? [parameter.average] : []),
  ];
  return [...parameters.flatMap(ofParameter), ...statistics];
}

/** Training step of `graph` (dialect), or what keeps it from being trained. @throws E_LOSS */
export function buildStep(graph: Graph, options: StepOptions): TrainingStep | readonly Diagnostic[] {
  const bound = bindBatch(graph, options.batchSize);
  if ('kind' in bound) return [bound];
  const masked = options.masked ?? [];
  const lifted = liftParameters(bound, options.trainable, options.masking === 'dense' ? masked : []);
  const { loss: addLoss, batchNorm = 'train' } = options;
  const prepared = buildLoss(lifted.graph, addLoss, { batchNorm: batchNorm === 'train', dropout: true });
  if (!('graph' in prepared)) return prepared;

  const { graph: forward, loss, statistics, dropout } = prepared;
  const emit = createEmitter(forward);
  const seen = options.trainable.map((name) => lifted.seen.get(name) ?? name);
  const gradients = emitGradients(emit, forward, loss, seen);
  if (!(gradients instanceof Map)) return gradients as readonly Diagnostic[];
  const learningRate = emit.input('learning_rate', 'float32', []);
  const movables = options.trainable.map((name, index) => ({
    name,
    gradient: gradients.get(seen[index])! as string,
    mask: !masked.includes(name)
      ? undefined
      : (lifted.masks.get(name) ?? emit.input(`${name}.mask`, 'float32', emit.typeOf(name).shape as number[])),
  }));
  const { parameters, scalars } = emitUpdates(emit, movables, { ...options, learningRate });
  const step = { loss, learningRate, parameters, statistics, dropout, scalars };
  const outputs = [loss, ...carriedBy({ ...step, graph: forward }).map(({ output }) => output)];
  return { ...step, graph: emit.build(outputs) };
}

/** A forward pass that ends in a loss. */
export interface LossGraph {
  readonly graph: Graph;
  readonly loss: string;
  readonly statistics: readonly RunningStatistic[];
  readonly dropout: readonly DropoutMask[];
}

/**
 * The graph (its batch size bound) with a loss; all types are known. `training` says which nodes behave as in training.
 * @throws E_LOSS
 */
export function buildLoss(
  graph: Graph,
  addLoss: LossBuilder,
  training: { readonly batchNorm: boolean; readonly dropout: boolean },
): LossGraph | readonly Diagnostic[] {
  const normalized = training.batchNorm ? trainBatchNorm(graph) : { graph, statistics: [] };
  const inferred = inferShapes(normalized.graph);
  if (inferred.diagnostics.some(({ severity }) => severity === 'error')) return inferred.diagnostics;
  const unknown = inferred.graph.nodes
    .flatMap((node) => node.outputs)
    .filter((value) => value !== '' && !isKnown(inferred.graph, value));
  if (unknown.length > 0) return unknown.map(unknownShape);
  const dropped = training.dropout ? feedDropout(inferred.graph) : { graph: inferred.graph, masks: [] };
  const emit = createEmitter(dropped.graph);
  const loss = addLoss(emit, graph.outputs);
  const { statistics } = normalized;
  // A Softmax behind the logits, or a second head, would only cost time.
  const withLoss = removeDead(emit.build([loss, ...statistics.map(({ output }) => output)]));
  return { graph: withLoss, loss, statistics, dropout: dropped.masks };
}

/** The graph for batches of one size: the symbol of the first input axis becomes a number. */
export function bindBatch(graph: Graph, batchSize: number): Graph | Diagnostic {
  const sizes: Record<string, number> = {};
  for (const [input, batch] of batchExtents(graph)) {
    if (typeof batch === 'string') sizes[batch] = batchSize;
    else if (batch !== batchSize)
      return {
        severity: 'error',
        kind: 'fixed-batch',
        where: input,
        message: `expected a symbolic extent of the samples (a dynamic batch) or ${batchSize} samples, found ${batch ?? 'no shape'}`,
      };
  }
  return bindShapes(graph, sizes);
}

interface Lifted {
  readonly graph: Graph;
  /** What the forward pass reads instead of the initializer, for masked ones. */
  readonly seen: ReadonlyMap<string, string>;
  readonly masks: ReadonlyMap<string, string>;
}

/** Initializers that move become inputs; those in `masked` are read through a product with a mask, another input. */
function liftParameters(graph: Graph, trainable: readonly string[], masked: readonly string[]): Lifted {
  const values = new Map(graph.values);
  const initializers = new Map(graph.initializers);
  for (const name of trainable) {
    values.set(name, typeOf(graph, name)!);
    initializers.delete(name);
  }
  const fresh = nameMaker(graph);
  const masks = new Map<string, string>();
  const seen = new Map<string, string>();
  const products: Node[] = [];
  for (const name of trainable.filter((parameter) => masked.includes(parameter))) {
    const [mask, product] = [fresh(`${name}.mask`), fresh(`${name}.masked`)];
    masks.set(name, mask);
    seen.set(name, product);
    values.set(mask, values.get(name)!);
    const node = { name: product, op: 'Mul', domain: '', inputs: [name, mask], outputs: [product] };
    products.push({ ...node, attributes: new Map() });
  }
  const nodes = [...products, ...graph.nodes.map((node) => renameReads(node, seen))];
  const inputs = [...graph.inputs, ...trainable, ...masks.values()];
  return { graph: { ...graph, inputs, nodes, initializers, values }, seen, masks };
}

function isKnown(graph: Graph, value: string): boolean {
  return typeOf(graph, value)?.shape?.every((dim) => typeof dim === 'number') ?? false;
}

function unknownShape(value: string): Diagnostic {
  return {
    severity: 'error',
    kind: 'unknown-shape',
    where: value,
    message: 'training needs every extent as a number, and this one depends on data',
  };
}
