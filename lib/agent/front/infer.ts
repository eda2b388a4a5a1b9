import type { ServerResponse } from 'node:http';
import { DATATYPES } from '../../core/datatype';
import { asHoneError, HoneError } from '../../core/error';
import { HEADER_LENGTH, type OutputTensor } from '../../protocol/tensor';
import type { WrittenResponse } from '../../protocol/write-infer-response';
import type { Exchange } from './exchange';
import { encodeBody, wantedEncoding } from './http/encoding';
import { nanoseconds } from './nanoseconds';
import type { ServedModel } from './served-model';

/** Room per element that a JSON request may take, in bytes, and for the rest of it. */
const JSON_ELEMENT_BYTES = 32;
const JSON_FIXED_BYTES = 64 * 1024;
/** Bytes of an answer that a client takes per millisecond at least, once its time to begin is over. */
const LEAST_BYTES_PER_MS = 64;
/** Priority of requests that ask for none: in the middle of 1, 2, 3. */
const DEFAULT_PRIORITY = 2;

/**
 * Answers one inference request.
 * @throws E_AGENT_STOPPING, E_RESPONSE_ENCODING, what `readBody` and `ServedModel.submit` throw, what parsing and writing tensors
 *   throw
 */
export async function infer(model: ServedModel, exchange: Exchange): Promise<void> {
  const { telemetry } = exchange.front;
  telemetry.begun(model);
  try {
    await answer(model, exchange);
  } catch (error) {
    const failure = asHoneError(error);
    telemetry.failed(model, failure, nanoseconds() - exchange.arrivalNs);
    // Without a client there is nobody to be answered.
    if (!exchange.response.destroyed) throw failure;
  } finally {
    telemetry.ended(model);
  }
}

async function answer(model: ServedModel, { request, response, arrivalNs, front, readBody }: Exchange): Promise<void> {
  if (front.isStopping) throw new HoneError('E_AGENT_STOPPING');
  const { name, version, timeoutMs } = model.settings;
  const encoding = wantedEncoding(request);
  // Before the body is there: who would be refused whatever it says need not send it.
  model.admit({ priority: DEFAULT_PRIORITY, deadlineNs: Number.POSITIVE_INFINITY }, nanoseconds());
  const headerLength = request.headers[HEADER_LENGTH]?.toString();
  const body = await readBody(bodyLimit(model), Number(headerLength) || 0);
  const parsedNs = nanoseconds();
  const batch = model.settings.isBatched ? { batch: model.rows } : {};
  const ports = { name, inputs: model.inputs, outputs: model.outputs, ...batch };
  const asked = await front.json.parse(body, headerLength, ports);
  const inputNs = nanoseconds() - parsedNs;
  const deadlineNs = arrivalNs + (asked.timeoutUs ? asked.timeoutUs * 1e3 : timeoutMs * 1e6);
  const job = {
    inputs: asked.inputs.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
    rows: asked.rows,
    priority: asked.priority || DEFAULT_PRIORITY,
    deadlineNs,
    arrivalNs,
  };
  const submission = model.submit(job);
  const leave = () =>
    submission.leave(new HoneError('E_INTERRUPTED', { what: 'the inference, for its client is gone' }));
  response.once('close', leave);
  const { outputs, queueNs, computeNs, transferNs } = await submission.answer;
  response.off('close', leave);
  const readyNs = nanoseconds();
  const written = await front.json.write(
    { name, version },
    asked,
    model.outputs,
    outputs.map((output, index) => tensorOf(model, index, output)),
    model.labels,
  );
  response.setHeader('server-timing', `queue;dur=${milliseconds(queueNs)}, compute;dur=${milliseconds(computeNs)}`);
  await send(response, written, encoding, front.limits.sendMs);
  const times = {
    queueNs: queueNs - inputNs,
    inputNs: inputNs + transferNs,
    computeNs,
    outputNs: nanoseconds() - readyNs,
  };
  front.telemetry.answered(model, times, written.nonFinite);
}

function tensorOf(
  model: ServedModel,
  index: number,
  { shape, bytes }: { shape: readonly number[]; bytes: Uint8Array },
): OutputTensor {
  const Type = DATATYPES[model.outputs[index].datatype];
  return {
    shape,
    data: new Type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / Type.BYTES_PER_ELEMENT),
  };
}

function bodyLimit(model: ServedModel): number {
  const elements = model.inputs.reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
  return elements * JSON_ELEMENT_BYTES + JSON_FIXED_BYTES;
}

async function send(
  response: ServerResponse,
  { chunks, length, headerLength }: WrittenResponse,
  encoding: ReturnType<typeof wantedEncoding>,
  sendMs: number,
): Promise<void> {
  if (response.destroyed) throw new HoneError('E_INTERRUPTED', { what: 'the answer, for its client is gone' });
  const type = headerLength === undefined ? 'application/json' : 'application/octet-stream';
  const headers = headerLength === undefined ? {} : { [HEADER_LENGTH]: String(headerLength) };
  const body = encoding === undefined ? chunks : [await encodeBody(encoding, chunks)];
  // A client that takes a little now and then would keep the answer in memory for ever.
  const cut = setTimeout(() => response.destroy(), sendMs + length / LEAST_BYTES_PER_MS);
  response.once('close', () => clearTimeout(cut));
  response.writeHead(200, {
    'content-type': type,
    'content-length': encoding === undefined ? length : body[0].length,
    ...headers,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  });
  response.cork();
  for (const chunk of body) response.write(chunk);
  response.end();
  response.uncork();
}

/** As the header Server-Timing has them. */
function milliseconds(ns: number): string {
  return (ns / 1e6).toFixed(3);
}
