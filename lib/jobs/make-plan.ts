import { type Compiled, compile } from '../compile/compile';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { prepare } from '../passes/pipeline';
import { type Artifact, type ModelArtifact, noteSource, SOURCE_KEY } from './artifact';
import { type CompressOptions, compress } from './compress';

/** Symbols of input shapes become 1: plans serve single samples. */
export function prepareForEngine(graph: Graph): Graph {
  const symbols = graph.inputs.flatMap(
    (name) => graph.values.get(name)?.shape?.filter((dim) => typeof dim === 'string') ?? [],
  );
  return prepare(graph, { shapes: Object.fromEntries(symbols.map((symbol) => [symbol, 1])) }).graph;
}

/**
 * Compiles a model to a plan for single samples.
 * @throws E_OPERATOR_UNSUPPORTED naming every node that the engine lacks
 */
export function compileModel(model: ModelArtifact, target: string): Compiled {
  const source = model.quantized ? {} : { [SOURCE_KEY]: JSON.stringify(noteSource(model, target)) };
  return compile(prepareForEngine(model.graph), { sourceHash: model.hash, metadata: source });
}

/**
 * The plan of any artifact: a plan as it stands; a model compiled, after int8 compression when it is float and calibration
 * data is given.
 * @throws what `compress` and `compileModel` throw
 */
export async function makePlan(artifact: Artifact, options: CompressOptions): Promise<Uint8Array> {
  if (artifact.kind === 'plan') return artifact.bytes;
  if (artifact.quantized || options.data === undefined) return compileModel(artifact, artifact.path).plan;
  const { graph } = await compress(artifact, { ...options, data: options.data });
  return compile(prepareForEngine(graph), { sourceHash: artifact.hash }).plan;
}

/** @throws E_OPTION_VALUE for a plan where a model is needed */
export function requireModel(artifact: Artifact, verb: string): ModelArtifact {
  if (artifact.kind === 'model') return artifact;
  throw new HoneError('E_OPTION_VALUE', {
    option: 'MODEL',
    expected: `an ONNX model to ${verb}`,
    found: `the plan ${artifact.path}`,
  });
}
