import type { PreprocessSpec } from '../core/preprocess';
import { type ExpectedInputs, expectedInputs } from '../data/fit-input';
import { openDataset } from '../data/open-dataset';
import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import { declaredSampleAxes, findSampleAxes } from '../ir/sample-axes';
import { bindToSamples } from '../passes/bind-inputs';
import { fixBatch } from '../passes/fix-batch';
import type { Artifact, PlanArtifact } from './artifact';

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
  const dataset = await openDataset(path, { inputs: inputsOf(artifact), ...(preprocess && { preprocess }) });
  return { artifact: bindArtifact(artifact, dataset), dataset };
}

/** What data must look like for an artifact. */
export function inputsOf(artifact: Artifact): ExpectedInputs {
  return artifact.kind === 'model' ? expectedInputs(artifact.graph) : planInputs(artifact);
}

function planInputs({ description: { variants, metadata } }: PlanArtifact): ExpectedInputs {
  const ports = new Map(variants[0].inputs.map(({ name, type, dims }) => [name, { type, shape: dims }]));
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const axes = findSampleAxes(ports, declaredSampleAxes(new Map(texts)));
  return new Map([...ports].map(([name, port]) => [name, { ...port, axis: axes.get(name)! }]));
}

function bindArtifact<A extends Artifact>(artifact: A, dataset: Dataset): A {
  return artifact.kind === 'model' ? { ...artifact, graph: bindForSamples(artifact.graph, dataset) } : artifact;
}

/** The graph for samples of a dataset, as `openSamples` has it. */
export function bindForSamples(graph: Graph, { inputs }: Dataset): Graph {
  return fixBatch(bindToSamples(graph, inputs));
}
