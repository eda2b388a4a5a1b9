import { HoneError } from '../core/error';
import { createDataset } from '../data/create-dataset';
import type { Dataset, SampleType } from '../ir/dataset';
import { byteLength } from '../ir/element-type';
import type { ValueType } from '../ir/graph';
import { sampleAxesOf } from '../ir/sample-axes';
import type { States } from '../ir/states';
import { elementCount, type Tensor } from '../ir/tensor';
import { bindToOneSample, freeError, isFree } from '../passes/bind-inputs';
import { prepareWithBodies } from '../passes/prepare-with-bodies';
import { openReference } from '../reference/session';
import type { ModelArtifact } from './artifact';
import type { Executor } from './executor';
import { interruptCheck } from './interrupt';
import { requireRunnable } from './require-runnable';

/** States that no data hold: for each input of that kind, the output that makes the next one. */
export type CarriedStates = States;

/** Runs samples in order: each starts from the states that the one before left, the first from zeros. */
export function carryStates(executor: Executor, states: CarriedStates): Executor {
  if (states.size === 0) return executor;
  let carry = new StateCarrier(executor.inputs, states);
  return {
    ...executor,
    reset() {
      executor.reset();
      carry = new StateCarrier(executor.inputs, states);
    },
    async run(feeds) {
      const outputs = await executor.run(new Map([...feeds, ...carry.current]));
      carry.take(outputs);
      return outputs;
    },
  };
}

/** The states between two samples. */
class StateCarrier {
  private held: Map<string, Tensor>;
  private readonly states: CarriedStates;

  /** @throws E_SHAPE_FREE when the shape of a state is not known */
  constructor(inputs: ReadonlyMap<string, ValueType>, states: CarriedStates) {
    this.states = states;
    this.held = new Map(
      [...states.keys()].map((name) => {
        const { type, shape } = inputs.get(name)!;
        if (isFree({ name, shape })) throw freeError([{ name, shape }]);
        const dims = shape as readonly number[];
        return [name, { type, dims, bytes: new Uint8Array(byteLength(type, elementCount(dims))) }];
      }),
    );
  }

  get current(): ReadonlyMap<string, Tensor> {
    return this.held;
  }

  take(outputs: ReadonlyMap<string, Tensor>): void {
    this.held = new Map(
      [...this.states].map(([input, output]) => {
        const [before, after] = [this.held.get(input)!, outputs.get(output)!];
        if (String(before.dims) !== String(after.dims))
          throw new HoneError('E_OPTION_VALUE', {
            option: '--state',
            expected: `an output of shape [${before.dims.join(', ')}] for ${input}`,
            found: `${output} of [${after.dims.join(', ')}]`,
          });
        return [input, after];
      }),
    );
  }
}

/**
 * The dataset with the states that each sample starts from in the float model, as arrays like any others: samples can then be
 * picked, shuffled and put into batches. Runs the model once over all samples, in order.
 * @throws E_SHAPE_FREE, E_INTERRUPTED, what `requireRunnable` and `openReference` throw
 */
export async function recordStates(
  { graph }: ModelArtifact,
  dataset: Dataset,
  states: CarriedStates,
  signal?: AbortSignal,
): Promise<Dataset> {
  if (states.size === 0) return dataset;
  const { inputs, values } = bindToOneSample(graph);
  const carrier = new StateCarrier(new Map(inputs.map((name) => [name, values.get(name)!])), states);
  const rows = new Map([...states.keys()].map((name) => [name, [] as Uint8Array[]]));
  const labels: number[] = [];
  const check = interruptCheck(signal, () => `states of ${labels.length} of ${dataset.count} samples`);
  requireRunnable(graph);
  // With the extents of one sample onnxruntime refuses branches that cannot be right for them.
  await using reference = await openReference(prepareWithBodies(graph).graph);
  for await (const batch of dataset.batches({ size: 1 })) {
    await check();
    for (const [name, { bytes }] of carrier.current) rows.get(name)!.push(Uint8Array.from(bytes));
    carrier.take(await reference.run(new Map([...batch.inputs, ...carrier.current]), [...states.values()]));
    labels.push(batch.labels?.[0] ?? 0);
  }
  const axes = sampleAxesOf(graph);
  const types = new Map(
    [...carrier.current].map(([name, { type, dims }]): [string, SampleType] => {
      const axis = axes.get(name) ?? 'none';
      return [name, { type, dims: axis === 'none' ? dims : dims.toSpliced(axis, 1), axis }];
    }),
  );
  return withRows(dataset, rows, types, dataset.hasLabels ? Int32Array.from(labels) : undefined);
}

/** A dataset with further inputs, given by their bytes per sample. */
function withRows(
  dataset: Dataset,
  rows: ReadonlyMap<string, readonly Uint8Array[]>,
  types: Dataset['inputs'],
  labels: Int32Array | undefined,
): Dataset {
  return createDataset({
    name: dataset.name,
    count: dataset.count,
    inputs: new Map([...dataset.inputs, ...types]),
    labels,
    placed: new Set(dataset.inputs.keys()),
    async read(indices) {
      const found = new Map<string, Tensor>();
      for (const [name, list] of rows) {
        const { type, dims } = types.get(name)!;
        const bytes = Buffer.concat(Array.from(indices, (index) => list[index]));
        found.set(name, { type, dims: [indices.length, ...dims], bytes });
      }
      for await (const { inputs } of dataset.select(indices).batches({ size: indices.length }))
        for (const [name, tensor] of inputs) found.set(name, tensor);
      return found;
    },
  });
}
