import { type Compiled, compile } from '../compile/compile';
import type { Diagnostic } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { requireExtents } from '../passes/bind-inputs';
import type { Trace } from '../passes/rewrite';
import { type Artifact, isQuantized, type ModelArtifact } from './artifact';
import { type CompressOptions, compress } from './compress';
import { prepareForEngine } from './prepare-for-engine';
import { openSamples } from './samples';
import { sourceMetadata } from './source';

/** A plan and what was noticed while making it. */
interface MadePlan {
  readonly plan: Uint8Array;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a model as it is, for single samples.
 * @throws E_OPERATOR_UNSUPPORTED naming every node that the engine lacks, E_SHAPE_FREE
 */
export function compileModel(model: ModelArtifact, trace?: Trace): Compiled {
  return compileGraph(model.graph, model, trace);
}

/**
 * The plan of any artifact: a plan as it stands; a model compiled, after int8 compression when it is float and calibration
 * data is given.
 * @throws E_OPERATOR_UNSUPPORTED naming every node that the engine lacks, E_SHAPE_FREE, and what `compress` throws
 */
export async function makePlan(artifact: Artifact, options: CompressOptions = {}): Promise<MadePlan> {
  if (artifact.kind === 'plan') return { plan: artifact.bytes, diagnostics: [] };
  const { data, trace } = options;
  if (data === undefined) return compileModel(artifact, trace);
  // Nothing is left to calibrate then, but the samples may tell extents.
  if (artifact.quantized) return compileModel((await openSamples(artifact, data, options)).artifact, trace);
  const { graph } = await compress(artifact, { ...options, data });
  return compileGraph(graph, artifact, trace);
}

function compileGraph(graph: Graph, model: ModelArtifact, trace: Trace | undefined): Compiled {
  requireExtents(graph);
  const options = { sourceHash: model.hash, metadata: sourceMetadata(model) };
  const notes: Diagnostic[] = [];
  const compiled = compile(prepareForEngine(graph, trace, notes), options);
  const weightsAlone = !isQuantized(graph) && graph.nodes.some(({ op }) => op === 'DequantizeLinear');
  return { ...compiled, diagnostics: [...notes, ...compiled.diagnostics, ...(weightsAlone ? [WEIGHTS_ALONE] : [])] };
}

const WEIGHTS_ALONE: Diagnostic = {
  severity: 'warning',
  kind: 'float-model',
  where: 'graph',
  message: 'only weights are quantized: all layers run in float, and the plan holds float weights',
};

/** @throws E_OPTION_VALUE for a plan where a model is needed */
export function requireModel(artifact: Artifact, verb: string): ModelArtifact {
  if (artifact.kind === 'model') return artifact;
  throw new HoneError('E_OPTION_VALUE', {
    option: '<model>',
    expected: `an ONNX model to ${verb}`,
    found: `the plan ${artifact.path}`,
  });
}

/** A model that is not quantized yet. @throws E_OPTION_VALUE */
export function requireFloat(artifact: Artifact, verb: string): ModelArtifact {
  const model = requireModel(artifact, verb);
  if (!model.quantized) return model;
  throw new HoneError('E_OPTION_VALUE', {
    option: '<model>',
    expected: `a float model to ${verb}`,
    found: `${artifact.path}, which is quantized`,
  });
}
