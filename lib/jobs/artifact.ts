import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { externalDataIn } from '../onnx/external-data';
import { readModel } from '../onnx/read-model';
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
  /** Whether weights lie in other files. */
  readonly external: boolean;
}

export interface PlanArtifact {
  readonly kind: 'plan';
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly description: PlanDescription;
}

/**
 * Opens a file by its content.
 * @throws E_FILE_NOT_FOUND, E_PLAN_FORMAT, E_PLAN_VERSION, and what `readModel` throws
 */
export async function openArtifact(path: string): Promise<Artifact> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new HoneError('E_FILE_NOT_FOUND', { path, reason: error.message }, { cause: error });
  });
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (bytes.subarray(0, 8).toString('latin1') === 'HONEPLAN')
    return { kind: 'plan', path, bytes, hash, description: readPlan(bytes) };
  const files = externalDataIn(dirname(path));
  let external = false;
  const size = (location: string) => {
    external = true;
    return files.size(location);
  };
  const graph = readModel(bytes, { path, externalData: { ...files, size } });
  return { kind: 'model', path, bytes, hash, graph, quantized: isQuantized(graph), external };
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
