import { measureMacs } from '../compress/count-macs';
import type { Diagnostic } from '../core/diagnostic';
import { notedOutputs, notedPreprocess } from '../core/notes';
import type { OutputSpec } from '../core/output-spec';
import type { PreprocessSpec } from '../core/preprocess';
import type { SoundSpec } from '../core/sound-spec';
import type { Dim, Graph, ValueType } from '../ir/graph';
import type { SampleAxis } from '../ir/sample-axes';
import { type Annotation, annotate } from '../passes/annotate';
import { bindToOneSample, freeInputs, shapeAdvice } from '../passes/bind-inputs';
import { inferShapes } from '../passes/infer-shapes';
import { prepare } from '../passes/pipeline';
import type { Trace } from '../passes/rewrite';
import { upgrade } from '../passes/upgrade';
import { tensorBytes } from '../plan/check';
import type { PlanTensor } from '../plan/description';
import { type HeldWeights, heldWeights } from '../plan/held-weights';
import { type Artifact, type ModelArtifact, metadataOf, type PlanArtifact } from './artifact';
import { countParameters } from './count-parameters';
import { type EngineView, engineView } from './engine-shares';
import { prepareForEngine } from './prepare-for-engine';
import { portsOf } from './samples';
import { notedSound } from './sound-note';
import { notedSource } from './source';

interface Port {
  readonly name: string;
  readonly type: string;
  /** Null when even the rank is unknown. */
  readonly shape: readonly Dim[] | null;
}

interface InputPort extends Port {
  /** Where the samples are; `none` when a whole input is one sample. */
  readonly sampleAxis: SampleAxis;
  /** The output that is this input of the next sample; null for inputs that are no states. */
  readonly next: string | null;
}

interface InspectionBase {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly inputs: readonly InputPort[];
  readonly outputs: readonly Port[];
  /** How pictures and sound become its input, and what its outputs mean, where the file says so; else null. */
  readonly preprocess: PreprocessSpec | null;
  readonly sound: SoundSpec | null;
  readonly meaning: OutputSpec | null;
  /** Nodes by operator or kernel, the most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
}

/** What there is to know of an ONNX model. */
export interface ModelInspection extends InspectionBase {
  readonly kind: 'model';
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly quantized: boolean;
  /** Elements of all constants that are no integers of 64 bits (those tell shapes), wherever the file has them. */
  readonly parameters: number;
  /** Multiply-accumulates of one sample after folding; null when an extent is not known. */
  readonly macs: number | null;
  /** Why `macs` is null, and which option helps. */
  readonly macsUnknown: string | null;
  /** What the import converted. */
  readonly notes: readonly Diagnostic[];
  /** Rewrite rules that prepared it for the engine, and how often each applied, the most frequent first. */
  readonly rules: Readonly<Record<string, number>>;
  /** Decomposed operators in the prepared graph. */
  readonly recognized: readonly Annotation[];
  /** How the native engine runs this model. */
  readonly engine: Omit<EngineView, 'missing'>;
  /** What the native engine lacks for this model; empty when it runs wholly there. */
  readonly missing: readonly Diagnostic[];
}

/** What there is to know of a plan; ports are those of its first shape variant. */
export interface PlanInspection extends InspectionBase {
  readonly kind: 'plan';
  /** SHA-256 of the model file that it was compiled from. */
  readonly sourceSha256: string;
  /** Path of the float model as the plan notes it. */
  readonly float: string | null;
  readonly weightBytes: number;
  /** Of each layer, in order. */
  readonly weights: readonly HeldWeights[];
  readonly arenaBytes: number;
  /** Tensors that are kept from run to run; 0 for a plan without states. */
  readonly stateBytes: number;
  readonly variants: number;
}

/** Describes an artifact; works for models with unknown operators too. */
export function inspect(artifact: Artifact, trace?: Trace): ModelInspection | PlanInspection {
  return artifact.kind === 'plan' ? inspectPlan(artifact) : inspectModel(artifact, trace);
}

function inspectPlan(plan: PlanArtifact): PlanInspection {
  const { path, bytes, hash, description } = plan;
  const [variant] = description.variants;
  const port = ({ name, type, dims }: { name: string; type: string; dims: readonly number[] }) => ({
    name,
    type,
    shape: dims,
  });
  return {
    kind: 'plan',
    path,
    sizeBytes: bytes.length,
    sha256: hash,
    inputs: inputPorts(plan, variant.inputs.map(port)),
    outputs: variant.outputs.map(({ counted, dims, ...output }) => ({
      ...port({ ...output, dims }),
      shape: dims.map((dim, axis) => (axis === counted?.axis ? `<=${dim}` : dim)),
    })),
    ...specsOf(plan),
    operators: countWords(variant.nodes.map(({ op }) => op)),
    sourceSha256: description.sourceHash,
    float: notedSource(plan) ?? null,
    weightBytes: description.constants.reduce((sum, constant) => sum + constant.length, 0),
    weights: heldWeights(description),
    arenaBytes: variant.arenaBytes,
    stateBytes: Math.max(0, ...description.variants.flatMap(({ tensors }) => tensors.map(stateEnd))),
    variants: description.variants.length,
  };
}

/** Where a tensor ends in the memory that is kept between runs, which all variants share; 0 for others. */
function stateEnd(tensor: PlanTensor): number {
  return tensor.place === 'state' ? tensor.offset + tensorBytes(tensor) : 0;
}

function inspectModel(model: ModelArtifact, trace: Trace | undefined): ModelInspection {
  const { path, bytes, hash, graph, float16Ports, quantized, notes } = model;
  const { graph: inferred, diagnostics } = inferShapes(upgrade(graph).graph);
  const wrong = diagnostics.filter(({ severity }) => severity === 'error');
  const port = (name: string): Port => {
    const value = graph.values.get(name) ?? inferred.values.get(name);
    const type = float16Ports.has(name) ? 'float16' : (value?.type ?? 'unknown');
    return { name, type, shape: shapeOf(value, inferred.values.get(name)) };
  };
  const rules: string[] = [];
  const prepared = prepareForEngine(graph, (application) => {
    rules.push(application.rule);
    trace?.(application);
  });
  // Of the branches of an If the dearest counts: they stay apart.
  const { macs, unknown } = measureMacs(prepare(bindToOneSample(graph), { pads: 'fold' }).graph);
  const { shares, groups, missing } = engineView(prepared);
  const macsUnknown = unknown.length === 0 ? null : unknownMacs(graph, unknown, wrong);
  return {
    kind: 'model',
    path,
    sizeBytes: bytes.length,
    sha256: hash,
    inputs: inputPorts(model, graph.inputs.map(port)),
    outputs: graph.outputs.map(port),
    ...specsOf(model),
    operators: countWords(graph.nodes.map(({ op, domain }) => (domain === '' ? op : `${domain}:${op}`))),
    irVersion: graph.irVersion,
    opsets: Object.fromEntries([...graph.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    quantized,
    parameters: countParameters(graph),
    macs: macsUnknown === null ? macs : null,
    macsUnknown,
    notes,
    rules: countWords(rules),
    recognized: annotate(prepared),
    engine: { shares, groups },
    missing,
  };
}

function specsOf(artifact: Artifact): Pick<InspectionBase, 'preprocess' | 'sound' | 'meaning'> {
  const metadata = metadataOf(artifact);
  return {
    preprocess: notedPreprocess(metadata) ?? null,
    sound: notedSound(metadata) ?? null,
    meaning: notedOutputs(metadata) ?? null,
  };
}

function inputPorts(artifact: Artifact, ports: readonly Port[]): InputPort[] {
  const { inputs, states } = portsOf(artifact);
  return ports.map((port) => ({
    ...port,
    sampleAxis: inputs.get(port.name)?.axis ?? 0,
    next: states.get(port.name) ?? null,
  }));
}

/** The shape that a file declares, with the numbers that inference knows instead of its symbols. */
function shapeOf(declared: ValueType | undefined, inferred: ValueType | undefined): Port['shape'] {
  const [shape, known] = [declared?.shape, inferred?.shape];
  if (shape === undefined || known?.length !== shape.length) return shape ?? known ?? null;
  return shape.map((dim, axis) => (typeof known[axis] === 'number' ? known[axis] : dim));
}

function unknownMacs(graph: Graph, nodes: readonly string[], wrong: readonly Diagnostic[]): string {
  const free = freeInputs(graph);
  const names = free.map(({ name }) => name).join(', ');
  if (free.length > 0)
    return `${free.length > 1 ? `inputs ${names} have` : `input ${names} has`} free extents; give ${shapeAdvice(free)}`;
  if (wrong.length > 0) return `${wrong[0].where}: ${wrong[0].message}`;
  const more = nodes.length > 1 ? ` and ${nodes.length - 1} more` : '';
  return `the extents of ${nodes[0]}${more} depend on data`;
}

function countWords(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
}
