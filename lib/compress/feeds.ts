import { HoneError } from '../core/error';
import type { Dataset } from '../ir/dataset';
import type { Dim, Graph } from '../ir/graph';
import { elementCount, type Tensor } from '../ir/tensor';

/** Elements of all values of one run that may be held at a time (64 MB of float32), when the graph leaves the batch free. */
const ELEMENT_BUDGET = 2 ** 24;
const MAX_BATCH = 64;

/** One run of a graph over some samples. */
export interface SampleFeed {
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Samples in it. */
  readonly count: number;
  /** Class of each sample; undefined when the dataset has no labels. */
  readonly labels: Int32Array | undefined;
}

/**
 * The samples of a dataset as inputs of runs of `graph`, in order. The batch is the graph's own where its inputs fix one
 * (a remainder that cannot fill it is left out), otherwise as large as a fixed memory budget allows. A sample that has the
 * whole shape of the input, batch axis included, is run alone.
 * @throws E_DATA_EMPTY when there is no sample, E_DATA_MISMATCH when inputs are missing or do not fit, E_INTERRUPTED
 */
export async function* feedsOf(graph: Graph, dataset: Dataset, signal?: AbortSignal): AsyncGenerator<SampleFeed> {
  if (dataset.count === 0) throw new HoneError('E_DATA_EMPTY', { path: dataset.name });
  const fits = graph.inputs.map((name) => fitOf(graph, dataset, name));
  const whole = fits.some((fit) => fit.whole);
  const fixed = fixedBatch(fits);
  const size = whole ? 1 : (fixed ?? batchSizeFor(graph));
  if (dataset.count < size && fixed !== undefined)
    throw new HoneError('E_DATA_MISMATCH', { expected: `at least one batch of ${size} samples`, found: dataset.count });
  for await (const batch of dataset.batches({ size })) {
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: 'reading calibration samples' });
    if (fixed !== undefined && batch.count < size) return;
    const inputs = new Map<string, Tensor>();
    for (const [index, name] of graph.inputs.entries()) {
      const tensor = batch.inputs.get(name)!;
      inputs.set(name, fits[index].leading ? { ...tensor, dims: tensor.dims.slice(1) } : tensor);
    }
    yield { inputs, count: batch.count, labels: batch.labels };
  }
}

/**
 * Samples that every run of `graph` takes where its inputs fix the batch; 1 where the batch is free.
 * @throws E_DATA_MISMATCH when inputs are missing or do not fit
 */
export function leastRun(graph: Graph, dataset: Dataset): number {
  return fixedBatch(graph.inputs.map((name) => fitOf(graph, dataset, name))) ?? 1;
}

interface Fit {
  /** Each sample has the whole shape of the input, batch axis included. */
  readonly whole: boolean;
  /** Whether batches have a leading axis that the input lacks. */
  readonly leading: boolean;
  /** Extent of the sample axis of the input. */
  readonly batch: Dim | undefined;
}

function fitOf(graph: Graph, dataset: Dataset, name: string): Fit {
  const sample = dataset.inputs.get(name);
  const type = graph.values.get(name);
  const shape = type?.shape;
  const expected = `input '${name}' of type ${type?.type} and shape [${shape?.join(', ') ?? '...'}]`;
  const mismatch = (found: string) => new HoneError('E_DATA_MISMATCH', { expected, found });
  if (sample === undefined) throw mismatch(`only ${[...dataset.inputs.keys()].map((key) => `'${key}'`).join(', ')}`);
  if (type && type.type !== sample.type) throw mismatch(`samples of type ${sample.type}`);
  const { axis = 0 } = sample;
  if (shape === undefined) return { whole: axis === 'none', leading: false, batch: undefined };
  if (axis !== 'none' && matches(shape.toSpliced(axis, 1), sample.dims))
    return { whole: false, leading: false, batch: shape[axis] };
  if (matches(shape, sample.dims)) return { whole: true, leading: axis !== 'none', batch: undefined };
  throw mismatch(`samples of shape [${sample.dims.join(', ')}]`);
}

function matches(shape: readonly Dim[], dims: readonly number[]): boolean {
  return shape.length === dims.length && shape.every((dim, axis) => typeof dim === 'string' || dim === dims[axis]);
}

function fixedBatch(fits: readonly Fit[]): number | undefined {
  return fits.find(({ batch }) => typeof batch === 'number')?.batch as number | undefined;
}

/** Batch at which all values of a run stay within the element budget; symbols count as one. */
function batchSizeFor(graph: Graph): number {
  let perSample = 1;
  for (const { shape } of graph.values.values())
    perSample += elementCount((shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1)));
  return Math.max(1, Math.min(MAX_BATCH, Math.floor(ELEMENT_BUDGET / perSample)));
}
