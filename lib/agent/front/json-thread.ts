import { Worker } from 'node:worker_threads';
import { HoneError } from '../../core/error';
import type { InferRequest, ModelPorts } from '../../protocol/infer-request';
import { parseInferRequest } from '../../protocol/parse-infer-request';
import type { OutputTensor } from '../../protocol/tensor';
import { type WrittenResponse, writeInferResponse } from '../../protocol/write-infer-response';
import { partCommand } from '../parts';
import type { JsonAnswer, JsonTask } from './json-thread-main';

/** JSON larger than this, in bytes, is read beside the front's own thread: there it would hold up everybody else. */
const LARGE_BYTES = 64 * 1024;
/** Elements of outputs in JSON from which they are written beside it. */
const LARGE_ELEMENTS = 8 * 1024;
/** How long the thread waits for more before it ends, in milliseconds: it holds some megabytes. */
const IDLE_MS = 30_000;
/** Bytes of objects that JSON may become, in MiB: more ends the thread and refuses the request, not the front. */
const HEAP_LIMIT_MB = 1024;

/** Reads requests and writes answers; those with much JSON in a thread of its own, which lives while it has work. */
export class JsonThread {
  private thread: Worker | undefined;
  private readonly pending = new Map<number, { resolve(value: unknown): void; reject(error: HoneError): void }>();
  private nextId = 1;
  private idle: NodeJS.Timeout | undefined;

  /** @throws what `parseInferRequest` throws; E_MEMORY */
  async parse(body: Uint8Array, headerLength: string | undefined, ports: ModelPorts): Promise<InferRequest> {
    const jsonBytes = headerLength === undefined ? body.length : Number(headerLength);
    if (!(jsonBytes > LARGE_BYTES)) return parseInferRequest(body, headerLength, ports);
    // Ports as the protocol needs them: what else belongs to a port does not concern the thread.
    const specs = (list: ModelPorts['inputs']) => list.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
    const plain = { ...ports, inputs: specs(ports.inputs), outputs: specs(ports.outputs) };
    return this.ask<InferRequest>({ kind: 'parse', body, headerLength, ports: plain });
  }

  /** @throws what `writeInferResponse` throws; E_MEMORY */
  async write(
    model: { readonly name: string; readonly version: string },
    request: Pick<InferRequest, 'id' | 'outputs'>,
    specs: ModelPorts['outputs'],
    given: readonly OutputTensor[],
    labels: readonly (readonly string[] | undefined)[],
  ): Promise<WrittenResponse> {
    const elements = request.outputs.reduce(
      (sum, { index, binary }) => sum + (binary ? 0 : given[index].data.length),
      0,
    );
    if (elements <= LARGE_ELEMENTS) return writeInferResponse(model, request, specs, given, labels);
    const { id, outputs } = request;
    const plain = specs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
    return this.ask<WrittenResponse>({ kind: 'write', model, request: { id, outputs }, specs: plain, given, labels });
  }

  /** Requests and answers that it works on. */
  get count(): number {
    return this.pending.size;
  }

  close(): void {
    clearTimeout(this.idle);
    void this.thread?.terminate();
  }

  private ask<Answer>(task: JsonTask): Promise<Answer> {
    const id = this.nextId++;
    clearTimeout(this.idle);
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.thread ??= this.start();
      this.thread.postMessage({ id, task });
    });
  }

  private start(): Worker {
    const { script, args } = partCommand('json-thread');
    const thread = new Worker(script, {
      argv: [...args],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
    });
    thread.unref();
    thread.on('message', (answer: JsonAnswer) => this.take(answer));
    thread.on('error', (error) => this.lose(thread, error.message));
    thread.on('exit', () => this.lose(thread, 'the thread that reads JSON ended'));
    return thread;
  }

  private take({ id, value, error }: JsonAnswer): void {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new HoneError(error.code, error.details));
    if (this.pending.size > 0) return;
    this.idle = setTimeout(() => this.close(), IDLE_MS);
    this.idle.unref();
  }

  /** What was to be read is lost: any of it may have been too much. */
  private lose(thread: Worker, reason: string): void {
    if (this.thread !== thread) return;
    this.thread = undefined;
    for (const { reject } of this.pending.values()) reject(new HoneError('E_MEMORY', { reason }));
    this.pending.clear();
  }
}
