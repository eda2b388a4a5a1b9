import { parentPort } from 'node:worker_threads';
import { asHoneError, type ErrorDetails } from '../../core/error';
import type { ErrorCode } from '../../core/error-table';
import type { InferRequest, ModelPorts } from '../../protocol/infer-request';
import { parseInferRequest } from '../../protocol/parse-infer-request';
import type { OutputTensor } from '../../protocol/tensor';
import { writeInferResponse } from '../../protocol/write-infer-response';

/** What the thread is asked to do. */
export type JsonTask =
  | {
      readonly kind: 'parse';
      readonly body: Uint8Array;
      readonly headerLength: string | undefined;
      readonly ports: ModelPorts;
    }
  | {
      readonly kind: 'write';
      readonly model: { readonly name: string; readonly version: string };
      readonly request: Pick<InferRequest, 'id' | 'outputs'>;
      readonly specs: ModelPorts['outputs'];
      readonly given: readonly OutputTensor[];
      readonly labels: readonly (readonly string[] | undefined)[];
    };

export interface JsonAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly details: ErrorDetails };
}

function perform(task: JsonTask): { readonly value: unknown; readonly memory: readonly ArrayBufferLike[] } {
  if (task.kind === 'parse') {
    const value = parseInferRequest(task.body, task.headerLength, task.ports);
    return { value, memory: value.inputs.map(({ buffer }) => buffer) };
  }
  const value = writeInferResponse(task.model, task.request, task.specs, task.given, task.labels);
  return { value, memory: value.chunks.map(({ buffer }) => buffer) };
}

parentPort!.on('message', ({ id, task }: { readonly id: number; readonly task: JsonTask }) => {
  try {
    const { value, memory } = perform(task);
    const answer: JsonAnswer = { id, value };
    parentPort!.postMessage(answer, [...new Set(memory as ArrayBuffer[])]);
  } catch (error) {
    const { code, details } = asHoneError(error);
    const answer: JsonAnswer = { id, error: { code, details } };
    parentPort!.postMessage(answer);
  }
});
