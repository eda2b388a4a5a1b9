import { DATATYPES, type Datatype } from '../../lib/core/datatype';
import { HoneError } from '../../lib/core/error';
import { Rng, streamSeed } from '../../lib/core/rng';
import type { InferRequest, ModelPorts } from '../../lib/protocol/infer-request';
import { parseInferRequest } from '../../lib/protocol/parse-infer-request';
import { readInferResponse } from '../../lib/protocol/read-infer-response';
import { elementsIn, type OutputTensor, type TensorData } from '../../lib/protocol/tensor';
import { writeInferRequest } from '../../lib/protocol/write-infer-request';
import { writeInferResponse } from '../../lib/protocol/write-infer-response';
import { mutate } from '../onnx/mutate';
import { joined, spec, utf8 } from './model';

/** The bytes of a request or a response, and its HTTP header. */
export interface WireCase {
  readonly side: 'request' | 'response';
  readonly model: ModelPorts;
  readonly body: Uint8Array;
  readonly headerLength: string | undefined;
}

const ports = (prefix: string): ModelPorts['inputs'] =>
  (Object.keys(DATATYPES) as Datatype[]).map((datatype, index) =>
    spec(`${prefix}${index}`, datatype, [[1, 2, 3], [1, 4], [1], [1, 1, 2, 2]][index % 4]),
  );

/** One port of each datatype; the same in rows; and a picture. */
const MODELS: readonly ModelPorts[] = [
  { name: 'all', inputs: ports('x'), outputs: ports('y') },
  { name: 'rows', inputs: ports('x').slice(0, 3), outputs: ports('y').slice(0, 2), batch: 4 },
  { name: 'picture', inputs: [spec('x', 'FP32', [1, 3, 8, 8])], outputs: [spec('y', 'FP32', [1, 10])] },
];

/** Values and texts that stand at the edges of what is taken. */
const EDGES: readonly unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 2, 3, 4, 0.5, 127, 128, 255, 256, 2 ** 31, 2 ** 53, 2 ** 63, 1e39, 1e308],
  ...['', 'x', 'x0', 'y1', 'all', '__proto__', 'constructor', 'FP32', 'BYTES', 'BOOL', '1', '\u2028', '\ud800'],
  ...[[], {}, [[]], [[1, 2, 3], [4]], [1], [null], { a: 1 }, { length: 3 }, JSON.parse('{"__proto__":1}')],
  { binary_data_size: 4 },
  { classification: 2, binary_data: true },
  { priority: 2, timeout: 5 },
];
const KEYS: readonly string[] = [
  ...[
    'id',
    'inputs',
    'outputs',
    'parameters',
    'model_name',
    'name',
    'shape',
    'datatype',
    'data',
    '__proto__',
    'toString',
  ],
  ...[
    'binary_data_size',
    'binary_data',
    'classification',
    'timeout',
    'priority',
    'sequence_id',
    'shared_memory_region',
  ],
];
const TOKENS: readonly string[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    ' ',
    '\n',
    'null',
    'true',
    '-',
    '1',
    '1e999',
    '-0',
    '.5',
    'NaN',
  ],
  ...['"inputs":', '"name":"x0"', '"data":', '"shape":[1,2,3]', '"datatype":"FP32"', '\ufeff', '\u0000', '{"a":', '[['],
];

/** Case number `index` of a seed. */
export function makeCase(seed: number, index: number): WireCase {
  const rng = new Rng(streamSeed(seed, index));
  const model = pick(MODELS, rng);
  const side = rng.uniform() < 0.8 ? 'request' : 'response';
  const { body, headerLength } = side === 'request' ? validRequest(model, rng) : validResponse(model, rng);
  const jsonLength = headerLength ?? body.length;
  const [json, blobs] = [body.subarray(0, jsonLength), body.subarray(jsonLength)];
  const way = rng.integer(0, 9);
  const changed =
    way === 0
      ? json
      : way < 6
        ? changeValues(json, rng)
        : way < 7
          ? utf8(Array.from({ length: rng.integer(1, 200) }, () => pick(TOKENS, rng)).join(''))
          : way < 8
            ? grow(json, rng)
            : mutate(json, body, rng);
  const tail = rng.uniform() < 0.85 ? blobs : mutate(blobs, json, rng);
  const header = rng.uniform() < 0.9 ? (headerLength === undefined ? undefined : changed.length) : rng.integer(-2, 400);
  return { side, model, body: joined([changed, tail]), headerLength: header?.toString() };
}

function pick<T>(list: readonly T[], rng: Rng): T {
  return list[rng.integer(0, list.length - 1)];
}

/** A value of its own: later changes must not reach other cases. */
function edge(rng: Rng): unknown {
  return structuredClone(pick(EDGES, rng));
}

function elements(datatype: Datatype, count: number, rng: Rng): TensorData {
  if (datatype === 'INT64') return BigInt64Array.from({ length: count }, () => BigInt(rng.integer(-1000, 1000)));
  const high = datatype === 'BOOL' ? 1 : 100;
  return (DATATYPES[datatype] as typeof Float32Array).from({ length: count }, () => rng.integer(0, high));
}

function tensorsOf(specs: ModelPorts['inputs'], rows: number | undefined, rng: Rng) {
  return specs.map((port) => {
    const shape = rows === undefined ? port.shape : [rows, ...port.shape.slice(1)];
    return { ...port, shape, data: elements(port.datatype, elementsIn(shape), rng) };
  });
}

function validRequest({ inputs, outputs, batch }: ModelPorts, rng: Rng) {
  const rows = batch === undefined ? undefined : rng.integer(1, batch);
  const wanted = outputs.filter(() => rng.uniform() < 0.5);
  const { chunks, headerLength } = writeInferRequest(tensorsOf(inputs, rows, rng), {
    ...(rng.uniform() < 0.5 ? { id: 'a' } : {}),
    binary: rng.uniform() < 0.5,
    priority: rng.integer(0, 3),
    timeoutUs: rng.integer(0, 5),
    outputs: wanted.map(({ name, datatype }) => ({
      name,
      ...(rng.uniform() < 0.5 ? { binary: rng.uniform() < 0.5 } : {}),
      ...(rng.uniform() < 0.3 && datatype !== 'BOOL' ? { classification: rng.integer(1, 4) } : {}),
    })),
  });
  return { body: joined(chunks), headerLength };
}

function validResponse({ outputs }: ModelPorts, rng: Rng) {
  const wanted = outputs.map(({ datatype }, index) => ({
    index,
    binary: rng.uniform() < 0.5,
    ...(rng.uniform() < 0.3 && datatype !== 'BOOL' ? { classification: 2 } : {}),
  }));
  const given = tensorsOf(outputs, undefined, rng);
  const { chunks, headerLength } = writeInferResponse(
    { name: 'm', version: '1' },
    { id: undefined, outputs: wanted },
    outputs,
    given,
  );
  return { body: joined(chunks), headerLength };
}

/** The JSON with one to three values or keys that are others. */
function changeValues(json: Uint8Array, rng: Rng): Uint8Array {
  const root = { value: JSON.parse(new TextDecoder().decode(json)) as unknown };
  for (let changes = rng.integer(1, 3); changes > 0; changes--) {
    let node: Record<string, unknown> = root;
    for (;;) {
      const key = pick(Object.keys(node), rng);
      const child = node[key];
      const isInner = typeof child === 'object' && child !== null && Object.keys(child).length > 0;
      if (isInner && rng.uniform() < 0.8) {
        node = child as Record<string, unknown>;
        continue;
      }
      const what = rng.integer(0, 3);
      if (what === 0 && Array.isArray(node)) node.splice(Number(key), 1);
      else if (what === 0) delete node[key];
      else if (what === 1) put(node, pick(KEYS, rng), edge(rng));
      else put(node, key, what === 2 ? edge(rng) : nested(child, rng));
      break;
    }
    if (Object.keys(root).length === 0) root.value = edge(rng);
  }
  return utf8(JSON.stringify(root.value) ?? 'null');
}

/** Assignment would give `__proto__` a meaning of its own. */
function put(node: object, key: string, value: unknown): void {
  Object.defineProperty(node, key, { value, configurable: true, enumerable: true, writable: true });
}

/** Lists made of a value or around it. */
function nested(value: unknown, rng: Rng): unknown {
  if (!Array.isArray(value) || value.length === 0) return [value];
  const size = rng.integer(1, value.length);
  return Array.from({ length: Math.ceil(value.length / size) }, (_, at) => value.slice(at * size, (at + 1) * size));
}

/** The JSON with a long stretch of one token, or of one piece of itself, in it. */
function grow(json: Uint8Array, rng: Rng): Uint8Array {
  const at = rng.integer(0, json.length);
  const piece = rng.uniform() < 0.5 ? utf8(pick(TOKENS, rng)) : json.subarray(at, at + rng.integer(1, 40));
  const times = rng.integer(1, 2 ** rng.integer(1, 12));
  return joined([json.subarray(0, at), ...Array.from({ length: times }, () => piece), json.subarray(at)]);
}

/**
 * What becomes of a case: the code of its refusal, or `taken` after the result was checked.
 * @throws whatever is no HoneError, and an Error for a result that cannot be
 */
export function runCase({ side, model, body, headerLength }: WireCase): string {
  try {
    if (side === 'response') readInferResponse(body, headerLength);
    else checkTaken(parseInferRequest(body, headerLength, model), model);
    return 'taken';
  } catch (error) {
    if (!(error instanceof HoneError) || error.code === 'E_INTERNAL') throw error;
    if (side === 'response' && error.code !== 'E_RESPONSE_FORMAT') throw error;
    if (error.message.length > 2000) throw new Error(`a message of ${error.message.length} characters`);
    return error.code;
  }
}

/** A request that was taken is one that the model can answer, and whose answer can be read. */
function checkTaken(request: InferRequest, model: ModelPorts): void {
  const { rows, inputs, outputs, priority, timeoutUs = 1 } = request;
  const hold = (isTrue: boolean, what: string) => {
    if (!isTrue) throw new Error(`a request was taken with ${what}`);
  };
  const rowShape = (shape: readonly number[]) => (model.batch === undefined ? shape : [rows, ...shape.slice(1)]);
  hold(rows >= 1 && rows <= (model.batch ?? 1), 'wrong rows');
  hold(inputs.length === model.inputs.length, 'other inputs');
  for (const [index, { datatype, shape }] of model.inputs.entries()) {
    hold(inputs[index].length === elementsIn(rowShape(shape)), 'a wrong number of elements');
    hold(inputs[index].constructor === DATATYPES[datatype], 'an array of another type');
  }
  hold(new Set(outputs.map(({ index }) => index)).size === outputs.length && outputs.length > 0, 'outputs twice');
  hold(priority >= 0 && priority <= 3 && timeoutUs >= 1, 'a wrong priority or timeout');
  const given: OutputTensor[] = tensorsOf(model.outputs, model.batch && rows, new Rng(1));
  const { chunks, headerLength } = writeInferResponse({ name: 'm', version: '1' }, request, model.outputs, given);
  const response = readInferResponse(joined(chunks), headerLength?.toString());
  hold(response.id === request.id && response.outputs.length === outputs.length, 'an answer of another form');
}
