import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Diagnostic } from '../core/diagnostic';
import { HoneError, readError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import type { SoundSpec } from '../core/sound-spec';
import type { Graph, ValueType } from '../ir/graph';
import { declaredSampleAxes, type SampleAxes, sampleAxesMetadata } from '../ir/sample-axes';
import { declaredStates, type States, sameState, statesMetadata } from '../ir/states';
import { externalDataIn } from '../onnx/external-data';
import { readModel } from '../onnx/read-model';
import { bindInputs, type InputShapes } from '../passes/bind-inputs';
import { float16PortsOf } from '../passes/narrow-ports';
import { widenFloats } from '../passes/widen-floats';
import type { PlanDescription } from '../plan/description';
import type { PlanType } from '../plan/format';
import { readPlan } from '../plan/reader';
import { outputsMetadata } from './output-note';
import { preprocessMetadata } from './preprocess-note';
import { soundMetadata } from './sound-note';

/** Anything that a verb takes: an ONNX model, float or quantized, or a compiled plan. */
export type Artifact = ModelArtifact | PlanArtifact;

export interface ModelArtifact {
  readonly kind: 'model';
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the file, hexadecimal. */
  readonly hash: string;
  /** All floats are float32, also where the file has others. */
  readonly graph: Graph;
  /** Inputs and outputs that are float16 in the file, and in what is made of it: see `narrowPorts`. */
  readonly float16Ports: ReadonlySet<string>;
  /** Whether it holds QuantizeLinear or integer operators. */
  readonly quantized: boolean;
  /** Whether the file's bytes alone are not the graph: weights lie in other files, or the import converted something. */
  readonly derived: boolean;
  /** What the import converted. */
  readonly notes: readonly Diagnostic[];
}

export interface PlanArtifact {
  readonly kind: 'plan';
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly description: PlanDescription;
}

/** What the user says of the inputs of a model. */
export interface InputOptions {
  /** Extents where the model leaves them free. */
  readonly shapes?: InputShapes;
  /** Sample axes that the model does not show. */
  readonly sampleAxes?: SampleAxes;
  /** States that their names do not show. */
  readonly states?: States;
}

/** What the user says of a model or plan. */
export interface ArtifactOptions extends InputOptions {
  /** How pictures become its input. */
  readonly preprocess?: PreprocessSpec;
  /** How sound becomes its input. */
  readonly sound?: SoundSpec;
  /** What its outputs mean: the JSON of an `OutputSpec`, of which names that the file itself notes may be left out. */
  readonly outputs?: unknown;
}

/**
 * Opens a file by its content. What `options` say counts as if the file said it.
 * @throws E_FILE_NOT_FOUND, E_PLAN_FORMAT, E_PLAN_VERSION, what `readModel` throws, E_OPTION_VALUE for inputs that the model
 * does not have so, and for those of a plan
 */
export async function openArtifact(path: string, options: ArtifactOptions = {}): Promise<Artifact> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (bytes.subarray(0, 8).toString('latin1') === 'HONEPLAN') {
    for (const [option, given] of [
      ['--shape', options.shapes],
      ['--batch-axis', options.sampleAxes],
      ['--state', options.states],
    ] as const)
      if (given?.size)
        throw new HoneError('E_OPTION_VALUE', {
          option,
          expected: 'a model',
          found: `${path}, a plan, whose inputs are fixed`,
        });
    return withNotes({ kind: 'plan', path, bytes, hash, description: readPlan(bytes) }, options);
  }
  const files = externalDataIn(dirname(path));
  let external = false;
  const size = (location: string) => {
    external = true;
    return files.size(location);
  };
  const read = readModel(bytes, { path, externalData: { ...files, size } });
  const float16Ports = float16PortsOf(read);
  const { graph: converted, diagnostics } = widenFloats(read, float16Ports);
  const graph = withInputs(converted, options);
  const derived = external || converted !== read;
  const quantized = isQuantized(graph);
  const model = { path, bytes, hash, graph, float16Ports, quantized, derived, notes: diagnostics };
  return withNotes({ kind: 'model', ...model }, options);
}

/** The artifact with notes of its metadata replaced. @throws what `outputsMetadata` throws */
function withNotes<A extends Artifact>(artifact: A, { preprocess, sound, outputs }: ArtifactOptions): A {
  const before = metadataOf(artifact);
  const said = outputs === undefined ? [] : outputsMetadata(outputs, valueTypesOf(artifact), before);
  const notes = new Map([...preprocessMetadata(preprocess), ...soundMetadata(sound), ...said]);
  if (notes.size === 0) return artifact;
  if (artifact.kind === 'model')
    return { ...artifact, graph: { ...artifact.graph, metadata: new Map([...before, ...notes]) } };
  const metadata = { ...artifact.description.metadata, ...Object.fromEntries(notes) };
  return { ...artifact, description: { ...artifact.description, metadata } };
}

/** Types of inputs and outputs by name, as far as the file tells them. */
interface ValueTypes {
  readonly inputs: ReadonlyMap<string, ValueType>;
  readonly outputs: ReadonlyMap<string, ValueType>;
}

/**
 * Types of an artifact's inputs and outputs, as data come for them: float32 also where a port is float16. Those that a model does not
 * tell are left out.
 */
export function valueTypesOf(artifact: Artifact): ValueTypes {
  if (artifact.kind === 'model') {
    const { inputs, outputs, values } = artifact.graph;
    const typed = (names: readonly string[]) =>
      new Map(names.flatMap((name) => (values.has(name) ? [[name, values.get(name)!] as const] : [])));
    return { inputs: typed(inputs), outputs: typed(outputs) };
  }
  const [variant] = artifact.description.variants;
  const typed = (ports: typeof variant.inputs) =>
    new Map(ports.map(({ name, type, dims }) => [name, { type: dataTypeOf(type), shape: dims }]));
  return { inputs: typed(variant.inputs), outputs: typed(variant.outputs) };
}

/** The type in which data come for a port of a plan. */
export function dataTypeOf(type: PlanType): PlanType {
  return type === 'float16' ? 'float32' : type;
}

/** Texts of an artifact's metadata. */
export function metadataOf(artifact: Artifact): ReadonlyMap<string, string> {
  if (artifact.kind === 'model') return artifact.graph.metadata;
  const entries = Object.entries(artifact.description.metadata);
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** @throws E_OPTION_VALUE */
function withInputs(
  graph: Graph,
  { shapes = new Map(), sampleAxes = new Map(), states = new Map() }: InputOptions,
): Graph {
  for (const [name, axis] of sampleAxes) {
    const shape = graph.values.get(name)?.shape;
    const refuse = (expected: string) =>
      new HoneError('E_OPTION_VALUE', { option: '--batch-axis', expected, found: `${name}=${axis}` });
    if (!graph.inputs.includes(name)) throw refuse(`an input (${graph.inputs.join(', ')})`);
    if (axis !== 'none' && shape !== undefined && axis >= shape.length)
      throw refuse(`an axis of ${name} [${shape.join(', ')}], counted from 0, or none`);
  }
  for (const [input, output] of states) requireState(graph, input, output);
  const metadata = new Map([
    ...graph.metadata,
    ...sampleAxesMetadata(new Map([...declaredSampleAxes(graph.metadata), ...sampleAxes])),
    ...statesMetadata(new Map([...declaredStates(graph.metadata), ...states])),
  ]);
  return bindInputs({ ...graph, metadata }, shapes);
}

/** @throws E_OPTION_VALUE */
function requireState({ inputs, outputs, values }: Graph, input: string, output: string): void {
  const refuse = (expected: string) =>
    new HoneError('E_OPTION_VALUE', { option: '--state', expected, found: `${input}=${output}` });
  if (!inputs.includes(input)) throw refuse(`an input (${inputs.join(', ')}) and the output that makes its next value`);
  if (!outputs.includes(output)) throw refuse(`an output of the model (${outputs.join(', ')})`);
  const [before, after] = [input, output].map((name) => values.get(name));
  const show = (name: string, type: typeof before) => `${name} of ${type?.type}[${type?.shape?.join(', ') ?? '...'}]`;
  if (!sameState(before, after))
    throw refuse(`two values of one type and shape, not ${show(input, before)} and ${show(output, after)}`);
}

/** Whether a graph holds QuantizeLinear or integer operators. */
export function isQuantized(graph: Graph): boolean {
  return graph.nodes.some(({ op }) => op === 'QuantizeLinear' || op.startsWith('QLinear'));
}
