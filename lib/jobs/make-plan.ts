import { type Compiled, compileVariants } from '../compile/compile';
import type { Diagnostic } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { declaredStates, findStates, type States } from '../ir/states';
import { bindInputs, type InputShapes, requireExtents } from '../passes/bind-inputs';
import { narrowPorts } from '../passes/narrow-ports';
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
export function compileModel(model: ModelArtifact, options: PlanOptions = {}): Compiled {
  return compileGraph(model.graph, model, options);
}

/** How a plan is made. */
export interface PlanOptions extends CompressOptions {
  /** Whether the plan keeps states in its own memory from run to run, instead of taking and giving them. */
  readonly keepStates?: boolean;
  /** Sets of input shapes, by name, that the plan is made for; those that the model has when left out. */
  readonly variants?: ReadonlyMap<string, InputShapes>;
}

/**
 * The plan of any artifact: a plan as it stands; a model compiled, after int8 compression when it is float and calibration
 * data is given.
 * @throws E_OPERATOR_UNSUPPORTED naming every node that the engine lacks, E_SHAPE_FREE, and what `compress` throws
 */
export async function makePlan(artifact: Artifact, options: PlanOptions = {}): Promise<MadePlan> {
  if (artifact.kind === 'plan') return { plan: artifact.bytes, diagnostics: [] };
  const { data } = options;
  if (data === undefined) return compileModel(artifact, options);
  // Nothing is left to calibrate then, but the samples may tell extents.
  if (artifact.quantized) return compileModel((await openSamples(artifact, data, options)).artifact, options);
  const { graph } = await compress(artifact, { ...options, data });
  return compileGraph(graph, artifact, options);
}

function compileGraph(graph: Graph, model: ModelArtifact, { trace, keepStates, variants }: PlanOptions): Compiled {
  const notes: Diagnostic[] = [];
  const named = variants?.size ? [...variants] : [['default', new Map()] as const];
  const prepared = named.map(([name, shapes]) => {
    const bound = bindInputs(graph, shapes);
    requireExtents(bound);
    return { name, graph: prepareForEngine(bound, trace, notes) };
  });
  const states = keepStates ? statesOf(prepared[0].graph) : new Map<string, string>();
  const narrowed = narrowedPorts(model, states);
  const graphs = prepared.map((variant) => ({ ...variant, graph: narrowPorts(variant.graph, narrowed) }));
  const compiled = compileVariants(graphs, { sourceHash: model.hash, metadata: sourceMetadata(model), states });
  const weightsAlone = !isQuantized(graph) && graph.nodes.some(({ op }) => op === 'DequantizeLinear');
  return { ...compiled, diagnostics: [...notes, ...compiled.diagnostics, ...(weightsAlone ? [WEIGHTS_ALONE] : [])] };
}

/** Ports that become float16. A state that is kept has one type: where only one side of it is float16 in the file, float32. */
function narrowedPorts({ float16Ports }: ModelArtifact, states: States): ReadonlySet<string> {
  const mixed = [...states].filter((pair) => !pair.every((name) => float16Ports.has(name))).flat();
  return new Set([...float16Ports].filter((name) => !mixed.includes(name)));
}

/** Inputs that carry a state, by declaration or name. @throws E_OPTION_VALUE when there is none */
function statesOf({ inputs, outputs, values, metadata }: Graph): States {
  const typesOf = (names: readonly string[]) => new Map(names.map((name) => [name, values.get(name)]));
  const states = findStates(typesOf(inputs), typesOf(outputs), declaredStates(metadata));
  if (states.size > 0) return states;
  throw new HoneError('E_OPTION_VALUE', {
    option: '--keep-states',
    expected:
      'a model with states: inputs with an output that makes the next one (say which with --state input=output)',
    found: `inputs ${inputs.join(', ')} and outputs ${outputs.join(', ')}`,
  });
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
