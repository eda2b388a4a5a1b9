import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import { type ExpectedInputs, expectedInputs } from '../data/fit-input';
import { openDataset } from '../data/open-dataset';
import type { Dataset } from '../ir/dataset';
import { typeOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { declaredSampleAxes, findSampleAxes } from '../ir/sample-axes';
import { elementCount } from '../ir/tensor';
import { knownDims } from '../ops/dims';
import { bindToOneSample, bindToSamples } from '../passes/bind-inputs';
import { fixBatch } from '../passes/fix-batch';
import { inferShapes } from '../passes/infer-shapes';
import { upgrade } from '../passes/upgrade';
import type { Artifact, PlanArtifact } from './artifact';
import { notedPreprocess, suggestedSpec } from './preprocess-note';

/** Samples, and the artifact with what they tell of its inputs. */
export interface OpenedSamples<A extends Artifact> {
  readonly artifact: A;
  readonly dataset: Dataset;
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
  return { artifact: bindArtifact(artifact, dataset), dataset };
}

/** Samples for an artifact; pictures become inputs as the caller says, else as the artifact's metadata does. */
export function openDatasetFor(
  artifact: Artifact,
  path: string,
  { preprocess }: { readonly preprocess?: PreprocessSpec | undefined } = {},
): Promise<Dataset> {
  const metadata = metadataOf(artifact);
  const spec = preprocess ?? notedPreprocess(metadata);
  return openDataset(path, {
    inputs: inputsOf(artifact),
    suggested: suggestedSpec(metadata),
    ...(spec && { preprocess: spec }),
  });
}

/** What data must look like for an artifact. */
export function inputsOf(artifact: Artifact): ExpectedInputs {
  return artifact.kind === 'model' ? expectedInputs(artifact.graph) : planInputs(artifact);
}

/** Texts of an artifact's metadata. */
function metadataOf(artifact: Artifact): ReadonlyMap<string, string> {
  if (artifact.kind === 'model') return artifact.graph.metadata;
  const entries = Object.entries(artifact.description.metadata);
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function planInputs(plan: PlanArtifact): ExpectedInputs {
  const ports = new Map(
    plan.description.variants[0].inputs.map(({ name, type, dims }) => [name, { type, shape: dims }]),
  );
  const axes = findSampleAxes(ports, declaredSampleAxes(metadataOf(plan)));
  return new Map([...ports].map(([name, port]) => [name, { ...port, axis: axes.get(name)! }]));
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

function bindArtifact<A extends Artifact>(artifact: A, dataset: Dataset): A {
  return artifact.kind === 'model' ? { ...artifact, graph: bindForSamples(artifact.graph, dataset) } : artifact;
}

/** The graph for samples of a dataset, as `openSamples` has it. */
export function bindForSamples(graph: Graph, { inputs }: Dataset): Graph {
  return fixBatch(bindToSamples(graph, inputs));
}
