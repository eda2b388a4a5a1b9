import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { Diagnostic } from '../core/diagnostic';
import { HoneError, readError } from '../core/error';
import type { Graph } from '../ir/graph';
import { declaredSampleAxes, type SampleAxes, sampleAxesMetadata } from '../ir/sample-axes';
import { declaredStates, type States, sameState, statesMetadata } from '../ir/states';
import { externalDataIn } from '../onnx/external-data';
import { readModel } from '../onnx/read-model';
import { bindInputs, type InputShapes } from '../passes/bind-inputs';
import { widenFloats } from '../passes/widen-floats';
import type { PlanDescription } from '../plan/description';
import { readPlan } from '../plan/reader';

/** Anything that a verb takes: an ONNX model, float or quantized, or a compiled plan. */
export type Artifact = ModelArtifact | PlanArtifact;

export interface ModelArtifact {
  readonly kind: 'model';
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the file, hexadecimal. */
  readonly hash: string;
  readonly graph: Graph;
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

/**
 * Opens a file by its content. What `inputs` says counts as if the model's file said it.
 * @throws E_FILE_NOT_FOUND, E_PLAN_FORMAT, E_PLAN_VERSION, what `readModel` throws, E_OPTION_VALUE for inputs that the model
 * does not have so, and for those of a plan
 */
export async function openArtifact(path: string, inputs: InputOptions = {}): Promise<Artifact> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (bytes.subarray(0, 8).toString('latin1') === 'HONEPLAN') {
    for (const [option, given] of [
      ['--shape', inputs.shapes],
      ['--batch-axis', inputs.sampleAxes],
      ['--state', inputs.states],
    ] as const)
      if (given?.size)
        throw new HoneError('E_OPTION_VALUE', {
          option,
          expected: 'a model',
          found: `${path}, a plan, whose inputs are fixed`,
        });
    return { kind: 'plan', path, bytes, hash, description: readPlan(bytes) };
  }
  const files = externalDataIn(dirname(path));
  let external = false;
  const size = (location: string) => {
    external = true;
    return files.size(location);
  };
  const read = readModel(bytes, { path, externalData: { ...files, size } });
  const { graph: converted, diagnostics } = widenFloats(read);
  const graph = withInputs(converted, inputs);
  const derived = external || converted !== read;
  return { kind: 'model', path, bytes, hash, graph, quantized: isQuantized(graph), derived, notes: diagnostics };
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

/** Name of a model for people and URLs: the file name without endings. */
export function modelName(path: string): string {
  let name = basename(path);
  for (let ending = extname(name); /^\.(onnx|plan|int8|qdq)$/.test(ending); ending = extname(name))
    name = name.slice(0, -ending.length);
  return name;
}
