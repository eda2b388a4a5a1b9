import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoneError, readError } from '../core/error';
import type { Graph } from '../ir/graph';
import { verified } from '../ir/verify';
import { formatError, guard, type ReadContext, unsupported } from './context';
import { type ExternalData, externalDataIn } from './external-data';
import { foreignFormat } from './foreign-format';
import { inlineFunctions, normalizeDomain } from './inline-functions';
import type { Message } from './message-schema';
import { readGraph } from './read-graph';
import { decodeMessage } from './wire';

/** Versions that the reader takes; both ends included. */
const IR_VERSIONS = { low: 3, high: 13 } as const;
const OPSET_VERSIONS = { low: 7, high: 26 } as const;

export interface ReadOptions {
  /** Name of the file, for messages. */
  readonly path?: string;
  /** Where tensors outside the file come from; without it such a tensor is an error. */
  readonly externalData?: ExternalData;
}

/**
 * Graph of an ONNX file's bytes: functions inlined, nodes sorted and uniquely named, verified. Tensors view `bytes`, which
 * must not change afterwards. The model's opset versions stay as they are.
 * @throws E_MODEL_FORMAT for files of other programs, E_ONNX_FORMAT, E_ONNX_VERSION, E_ONNX_UNSUPPORTED, E_ONNX_EXTERNAL, E_GRAPH_INVALID
 */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Graph {
  const context: ReadContext = { path: options.path ?? 'the model', external: options.externalData };
  if (bytes.length === 0) throw formatError(context, 'it is empty');
  const foreign = foreignFormat(bytes);
  if (foreign !== undefined) throw new HoneError('E_MODEL_FORMAT', { path: context.path, ...foreign });
  // Buffers are viewed as plain arrays: their `slice` does not copy, which readers of tensors rely on.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const model = guard(context, () => decodeMessage('Model', plain));
  if (model.irVersion === undefined) throw formatError(context, 'it has no IR version');
  if (model.graph === undefined) throw formatError(context, 'it has no graph');
  checkVersion('IR version', model.irVersion, IR_VERSIONS);
  const opsets = readOpsets(model, context);
  const message = inlineFunctions(model.graph, model.functions, opsets, context);
  const standard = opsets.get('');
  if (standard !== undefined) checkVersion('opset', standard, OPSET_VERSIONS);
  const graph = readGraph(message, { irVersion: model.irVersion, opsets }, context);
  for (const input of graph.inputs)
    if (!graph.values.has(input))
      throw unsupported(context, `input '${input}' of another kind than a tensor of a known element type`);
  return verified({ ...graph, metadata: new Map(model.metadata.map((entry) => [entry.key ?? '', entry.value ?? ''])) });
}

/**
 * Graph of an ONNX file; external data is looked for beside it and loads tensor by tensor on first use.
 * @throws E_FILE_NOT_FOUND, and what `readModel` throws
 */
export async function readModelFile(path: string): Promise<Graph> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw readError(path, error);
  }
  return readModel(bytes, { path, externalData: externalDataIn(dirname(path)) });
}

function readOpsets(model: Message<'Model'>, context: ReadContext): Map<string, number> {
  if (model.opsetImport.length === 0) throw formatError(context, 'it names no operator set');
  return new Map(model.opsetImport.map((entry) => [normalizeDomain(entry.domain), entry.version ?? 0]));
}

function checkVersion(what: string, found: number, range: { readonly low: number; readonly high: number }): void {
  if (found < range.low || found > range.high) throw new HoneError('E_ONNX_VERSION', { what, found, ...range });
}
