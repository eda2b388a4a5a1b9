import type { Diagnostic } from '../core/diagnostic';
import { typeOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { bindShapes, inferShapes } from '../passes/infer-shapes';
import { emitGradients } from './differentiate';
import { createEmitter, type GraphEmitter } from './emitter';
import type { LossBuilder } from './losses';
import type { Optimizer } from './sgd';

export interface StepOptions {
  /** Samples per step: the extent of the first axis of every input. */
  readonly batchSize: number;
  /** Initializers that move. */
  readonly trainable: readonly string[];
  readonly loss: LossBuilder;
  readonly optimizer: Optimizer;
  /** Trainable initializers whose new value is multiplied by an input (pruning masks). */
  readonly masked?: readonly string[];
}

/** A tensor that is an input of a step and, renewed, an output. */
export interface Carried {
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
}

/** A trainable initializer inside a training step. */
export interface StepParameter extends Carried {
  /** Name of the initializer in the model, and of the input. */
  readonly name: string;
  /** State of the optimiser. */
  readonly slots: readonly Carried[];
  /** Input with the mask, 1 where the parameter may move and 0 where it stays zero. */
  readonly mask?: string;
}

/** One training step as a graph: model inputs, labels, parameters and learning rate in; loss and new parameters out. */
export interface TrainingStep {
  readonly graph: Graph;
  /** Output: scalar loss before the update. */
  readonly loss: string;
  /** Input: scalar. */
  readonly learningRate: string;
  readonly parameters: readonly StepParameter[];
}

/** Training step of `graph` (dialect), or what keeps it from being trained. */
export function buildStep(graph: Graph, options: StepOptions): TrainingStep | readonly Diagnostic[] {
  const fixed = bindBatch(graph, options.batchSize);
  if ('kind' in fixed) return [fixed];
  const inferred = inferShapes(liftParameters(fixed, options.trainable));
  const unknown = inferred.graph.nodes
    .flatMap((node) => node.outputs)
    .filter((value) => value !== '' && !isKnown(inferred.graph, value));
  if (inferred.diagnostics.some(({ severity }) => severity === 'error')) return inferred.diagnostics;
  if (unknown.length > 0) return unknown.map(unknownShape);

  const forward = createEmitter(inferred.graph);
  const loss = options.loss(forward, inferred.graph.outputs);
  const withLoss = forward.build([loss]);
  const emit = createEmitter(withLoss);
  const gradients = emitGradients(emit, withLoss, loss, options.trainable);
  if (!(gradients instanceof Map)) return gradients as readonly Diagnostic[];
  const learningRate = emit.input('learning_rate', 'float32', []);
  const parameters = options.trainable.map((name) =>
    emitUpdate(emit, name, gradients.get(name)!, learningRate, options),
  );
  const carried = parameters.flatMap((parameter) => [parameter, ...parameter.slots]);
  return { graph: emit.build([loss, ...carried.map(({ output }) => output)]), loss, learningRate, parameters };
}

function emitUpdate(
  emit: GraphEmitter,
  name: string,
  gradient: string,
  learningRate: string,
  { optimizer, masked }: StepOptions,
): StepParameter {
  const dims = emit.typeOf(name).shape as readonly number[];
  const slots = optimizer.slots.map((slot) => emit.input(`${name}.${slot}`, 'float32', dims));
  const updated = optimizer.update(emit, { value: name, gradient, slots, learningRate });
  const mask = masked?.includes(name) ? emit.input(`${name}.mask`, 'float32', dims) : undefined;
  const output = mask === undefined ? updated.value : emit.node('Mul', [updated.value, mask]);
  return {
    name,
    input: name,
    output,
    dims,
    slots: slots.map((input, index) => ({ input, output: updated.slots[index], dims })),
    ...(mask !== undefined && { mask }),
  };
}

/** The graph for batches of one size: the symbol of the first input axis becomes a number. */
function bindBatch(graph: Graph, batchSize: number): Graph | Diagnostic {
  const sizes: Record<string, number> = {};
  for (const input of graph.inputs) {
    const batch = graph.values.get(input)?.shape?.[0];
    if (typeof batch === 'string') sizes[batch] = batchSize;
    else if (batch !== batchSize)
      return {
        severity: 'error',
        kind: 'fixed-batch',
        where: input,
        message: `expected a symbolic first extent or ${batchSize} samples, found ${batch ?? 'no shape'}`,
      };
  }
  return bindShapes(graph, sizes);
}

/** Initializers that move become inputs. */
function liftParameters(graph: Graph, trainable: readonly string[]): Graph {
  const values = new Map(graph.values);
  const initializers = new Map(graph.initializers);
  for (const name of trainable) {
    values.set(name, typeOf(graph, name)!);
    initializers.delete(name);
  }
  return { ...graph, inputs: [...graph.inputs, ...trainable], initializers, values };
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
