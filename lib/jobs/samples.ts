import { HoneError } from '../core/error';
import { notedPreprocess } from '../core/notes';
import type { PreprocessSpec } from '../core/preprocess';
import type { ExpectedInput, ExpectedInputs } from '../data/fit-input';
import { openDataset } from '../data/open-dataset';
import type { Dataset } from '../ir/dataset';
import { typeOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { declaredSampleAxes, findSampleAxes } from '../ir/sample-axes';
import { declaredStates, findStates, possibleStates } from '../ir/states';
import { elementCount } from '../ir/tensor';
import { knownDims } from '../ops/dims';
import { bindToOneSample, bindToSamples } from '../passes/bind-inputs';
import { fixBatch } from '../passes/fix-batch';
import { inferShapes } from '../passes/infer-shapes';
import { upgrade } from '../passes/upgrade';
import { type Artifact, type ModelArtifact, metadataOf, valueTypesOf } from './artifact';
import { type CarriedStates, recordStates } from './carry-states';
import { suggestedSpec } from './preprocess-note';

/** Samples, and the artifact with what they tell of its inputs. */
export interface OpenedSamples<A extends Artifact> {
  readonly artifact: A;
  readonly dataset: Dataset;
  /** States of the artifact that the samples do not hold. */
  readonly states: CarriedStates;
}

/**
 * Samples for an artifact. Extents that a model leaves free, besides the number of samples, are those of the samples from
 * then on; a model that computes one sample at a time whatever it declares has a batch of 1.
 * @throws what `openDataset` throws
 */
export async function openSamples<A extends Artifact>(
  artifact: A,
  path: string,
  { preprocess }: { readonly preprocess?: PreprocessSpec | undefined } = {},
): Promise<OpenedSamples<A>> {
  const dataset = await openDatasetFor(artifact, path, { preprocess });
  const states = [...portsOf(artifact).states].filter(([input]) => !dataset.inputs.has(input));
  return { artifact: bindArtifact(artifact, dataset), dataset, states: new Map(states) };
}

/**
 * Like `openSamples`, for work on samples in any order: states that the samples lack are those of the float model, run over all of
 * them in order.
 * @throws what `openSamples` and `recordStates` throw
 */
export async function openRecorded(
  model: ModelArtifact,
  path: string,
  {
    preprocess,
    signal,
  }: { readonly preprocess?: PreprocessSpec | undefined; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly artifact: ModelArtifact; readonly dataset: Dataset }> {
  const { artifact, dataset, states } = await openSamples(model, path, { preprocess });
  const recorded = await recordStates(artifact, dataset, states, signal);
  return { artifact: states.size === 0 ? artifact : bindArtifact(artifact, recorded), dataset: recorded };
}

/** Samples for an artifact; pictures become inputs as the caller says, else as the artifact's metadata does. */
function openDatasetFor(
  artifact: Artifact,
  path: string,
  { preprocess }: { readonly preprocess?: PreprocessSpec | undefined } = {},
): Promise<Dataset> {
  const metadata = metadataOf(artifact);
  const spec = preprocess ?? notedPreprocess(metadata);
  return openDataset(path, {
    inputs: portsOf(artifact).inputs,
    suggested: suggestedSpec(metadata),
    ...(spec && { preprocess: spec }),
  });
}

/** Inputs, outputs and states of an artifact, as data must fit them. */
export function portsOf(artifact: Artifact): { readonly inputs: ExpectedInputs; readonly states: CarriedStates } {
  const metadata = metadataOf(artifact);
  const { inputs, outputs } = valueTypesOf(artifact);
  const axes = findSampleAxes(inputs, declaredSampleAxes(metadata));
  const states = findStates(inputs, outputs, declaredStates(metadata));
  const optional = states.size < inputs.size;
  const expected = [...inputs].map(([name, type]): [string, ExpectedInput] => {
    const [perhapsFrom] = inputs.size > 1 && !states.has(name) ? possibleStates(type, outputs) : [];
    const state = states.has(name) ? { optional } : perhapsFrom === undefined ? {} : { perhapsFrom };
    return [name, { ...type, axis: axes.get(name)!, ...state }];
  });
  return { inputs: new Map(expected), states: optional ? states : new Map() };
}

/**
 * The dataset, if its labels are classes of the model: numbers from 0 below the count of its first output.
 * @throws E_DATA_MISMATCH naming both ranges
 */
export function requireClasses(artifact: Artifact, dataset: Dataset): Dataset {
  const { labelRange } = dataset;
  const output = labelRange && firstOutput(artifact);
  if (output === undefined) return dataset;
  const [low, high] = labelRange!;
  if (low >= 0 && high < output.classes) return dataset;
  throw new HoneError('E_DATA_MISMATCH', {
    expected: `labels from 0 to ${output.classes - 1}, one for each number of output '${output.name}'`,
    found: `labels from ${low} to ${high} in ${dataset.name}`,
  });
}

/** The first output of one sample; undefined when its extents are not known. */
function firstOutput(artifact: Artifact): { readonly name: string; readonly classes: number } | undefined {
  if (artifact.kind === 'plan') {
    const [{ name, dims }] = artifact.description.variants[0].outputs;
    return { name, classes: elementCount(dims) };
  }
  const { graph } = inferShapes(upgrade(bindToOneSample(artifact.graph)).graph);
  const [name] = graph.outputs;
  const dims = knownDims(typeOf(graph, name)?.shape);
  return dims && { name, classes: elementCount(dims) };
}

/** The artifact for samples like these, as `openSamples` has it. */
export function bindArtifact<A extends Artifact>(artifact: A, dataset: Pick<Dataset, 'inputs'>): A {
  return artifact.kind === 'model' ? { ...artifact, graph: bindForSamples(artifact.graph, dataset) } : artifact;
}

/** The graph for samples of a dataset, as `openSamples` has it. */
export function bindForSamples(graph: Graph, { inputs }: Pick<Dataset, 'inputs'>): Graph {
  return fixBatch(bindToSamples(graph, inputs));
}
