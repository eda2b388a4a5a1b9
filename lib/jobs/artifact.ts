import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { readModelFile } from '../onnx/read-model';
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
}

export interface PlanArtifact {
  readonly kind: 'plan';
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly description: PlanDescription;
}

/** Metadata key under which Hone notes the float model that an artifact was made from. */
export const SOURCE_KEY = 'hone.source';

/** The float model behind a compressed one. */
export interface SourceModel {
  /** Path relative to the artifact's folder. */
  readonly file: string;
  /** SHA-256 of that file. */
  readonly sha256: string;
}

/**
 * Opens a file by its content.
 * @throws E_FILE_NOT_FOUND, E_PLAN_FORMAT, E_PLAN_VERSION, and what `readModelFile` throws
 */
export async function openArtifact(path: string): Promise<Artifact> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new HoneError('E_FILE_NOT_FOUND', { path, reason: error.message }, { cause: error });
  });
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (bytes.subarray(0, 8).toString('latin1') === 'HONEPLAN')
    return { kind: 'plan', path, bytes, hash, description: readPlan(bytes) };
  const graph = await readModelFile(path);
  const quantized = graph.nodes.some(({ op }) => op === 'QuantizeLinear' || op.startsWith('QLinear'));
  return { kind: 'model', path, bytes, hash, graph, quantized };
}

/** Note of the float model for an artifact that will be written to `target`. */
export function noteSource(source: ModelArtifact, target: string): SourceModel {
  return { file: relative(dirname(resolve(target)), resolve(source.path)), sha256: source.hash };
}

/**
 * The float model that an artifact was made from: the artifact itself when it is float, else the file that its metadata
 * names, when that file is there and unchanged. Otherwise the reason why there is none.
 */
export async function findSource(artifact: Artifact): Promise<ModelArtifact | { readonly reason: string }> {
  if (artifact.kind === 'model' && !artifact.quantized) return artifact;
  const note =
    artifact.kind === 'plan' ? artifact.description.metadata[SOURCE_KEY] : artifact.graph.metadata.get(SOURCE_KEY);
  if (typeof note !== 'string') return { reason: 'the file does not say from which float model it was made' };
  const { file, sha256 } = JSON.parse(note) as SourceModel;
  const path = join(dirname(resolve(artifact.path)), file);
  try {
    const source = await openArtifact(path);
    if (source.hash !== sha256) return { reason: `${path} has changed since` };
    return source.kind === 'model' ? source : { reason: `${path} is not a model` };
  } catch (error) {
    return { reason: `the float model cannot be read: ${(error as Error).message}` };
  }
}

/** Name of a model for people and URLs: the file name without endings. */
export function modelName(path: string): string {
  let name = basename(path);
  for (let ending = extname(name); /^\.(onnx|plan|int8|qdq)$/.test(ending); ending = extname(name))
    name = name.slice(0, -ending.length);
  return name;
}
