import { DATATYPES, type Datatype } from '../core/datatype';
import { HoneError } from '../core/error';
import { decodeFloat16 } from '../core/half';

/**
 * Open Inference Protocol v2 over HTTP: JSON requests and the binary tensor extension (tensor bytes after a JSON header whose
 * length the header `Inference-Header-Content-Length` gives). Source: github.com/open-inference/open-inference-protocol and
 * Triton's binary tensor data extension.
 */
export const HEADER_LENGTH = 'inference-header-content-length';

export type TensorData = InstanceType<(typeof DATATYPES)[Datatype]>;

/** A tensor that a model takes or gives. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** An inference request, checked against the model. */
export interface InferRequest {
  readonly id: string | undefined;
  /** Data per input, in the order of the model's inputs. */
  readonly inputs: readonly TensorData[];
  /** Outputs wanted, and whether their bytes follow the header. */
  readonly outputs: readonly { readonly index: number; readonly binary: boolean }[];
}

interface RawTensor {
  name?: unknown;
  datatype?: unknown;
  shape?: unknown;
  data?: unknown;
  parameters?: { binary_data_size?: unknown; binary_data?: unknown };
}

/**
 * Parses the body of an inference request.
 * @throws E_REQUEST_FORMAT, E_INPUT_NAME, E_INPUT_TYPE, E_INPUT_SHAPE, E_INPUT_LENGTH, E_OUTPUT_NAME
 */
export function parseInferRequest(
  body: Uint8Array,
  headerLength: string | undefined,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): InferRequest {
  const jsonBytes = headerBytes(body, headerLength);
  const json = parseJson(body.subarray(0, jsonBytes));
  if (!Array.isArray(json.inputs)) throw badRequest("expected an array 'inputs'");
  const raw = json.inputs as RawTensor[];
  let position = jsonBytes;
  const found = new Map<string, TensorData>();
  for (const tensor of raw) {
    const spec = inputs.find(({ name }) => name === tensor?.name);
    if (spec === undefined)
      throw new HoneError('E_INPUT_NAME', { name: nameText(tensor?.name), expected: nameList(inputs) });
    if (found.has(spec.name)) throw badRequest(`input ${spec.name} is there twice`);
    checkTensor(tensor, spec);
    const size = tensor.parameters?.binary_data_size;
    if (size === undefined) found.set(spec.name, jsonData(tensor.data, spec));
    else {
      if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || position + size > body.length)
        throw badRequest(`binary_data_size of input ${spec.name} does not fit the body of ${body.length} bytes`);
      found.set(spec.name, binaryData(body.subarray(position, position + size), spec));
      position += size;
    }
  }
  if (position !== body.length) throw badRequest(`${body.length - position} bytes after the last tensor`);
  const missing = inputs.find(({ name }) => !found.has(name));
  if (missing !== undefined)
    throw new HoneError('E_INPUT_NAME', { name: `(missing) ${missing.name}`, expected: nameList(inputs) });
  return {
    id: typeof json.id === 'string' ? json.id : undefined,
    inputs: inputs.map(({ name }) => found.get(name)!),
    outputs: wantedOutputs(json, outputs),
  };
}

/** What a run gave for one output. */
export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Body and header length of a response. `given` holds the outputs in model order. */
export function writeInferResponse(
  model: string,
  request: InferRequest,
  specs: readonly TensorSpec[],
  given: readonly OutputTensor[],
): { body: Uint8Array; headerLength: number | undefined } {
  const blobs: Uint8Array[] = [];
  const outputs = request.outputs.map(({ index, binary }) => {
    const { name, datatype } = specs[index];
    const { shape, data: values } = given[index];
    if (!binary) return { name, datatype, shape, data: jsonOf(datatype, values) };
    blobs.push(new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength));
    return { name, datatype, shape, parameters: { binary_data_size: values.byteLength } };
  });
  const json = {
    model_name: model,
    model_version: '1',
    ...(request.id === undefined ? {} : { id: request.id }),
    outputs,
  };
  const header = Buffer.from(JSON.stringify(json));
  if (blobs.length === 0) return { body: header, headerLength: undefined };
  return { body: Buffer.concat([header, ...blobs]), headerLength: header.length };
}

function headerBytes(body: Uint8Array, headerLength: string | undefined): number {
  if (headerLength === undefined) return body.length;
  const length = Number(headerLength);
  if (!/^\d+$/.test(headerLength) || length > body.length)
    throw badRequest(`Inference-Header-Content-Length is '${headerLength}' for a body of ${body.length} bytes`);
  return length;
}

function parseJson(bytes: Uint8Array): {
  inputs?: unknown;
  outputs?: unknown;
  id?: unknown;
  parameters?: { binary_data_output?: unknown };
} {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    if (typeof json === 'object' && json !== null) return json;
  } catch {}
  throw badRequest('expected a JSON object');
}

function checkTensor(tensor: RawTensor, spec: TensorSpec): void {
  if (tensor.datatype !== spec.datatype)
    throw new HoneError('E_INPUT_TYPE', { name: spec.name, expected: spec.datatype, found: nameText(tensor.datatype) });
  const { shape } = tensor;
  if (
    !Array.isArray(shape) ||
    shape.length !== spec.shape.length ||
    shape.some((dim, axis) => dim !== spec.shape[axis])
  )
    throw new HoneError('E_INPUT_SHAPE', {
      name: spec.name,
      expected: `[${spec.shape}]`,
      found: shapeText(shape),
    });
}

/** Elements of a JSON tensor, flat or nested as its shape. */
function jsonData(data: unknown, spec: TensorSpec): TensorData {
  if (!Array.isArray(data)) throw badRequest(`input ${spec.name}: expected an array 'data'`);
  const flat = data.some(Array.isArray) ? data.flat(spec.shape.length) : data;
  const count = elementCount(spec);
  if (flat.length !== count)
    throw new HoneError('E_INPUT_LENGTH', { name: spec.name, expected: count, found: flat.length });
  if (spec.datatype === 'FP16') throw badRequest(`input ${spec.name}: FP16 travels as binary data alone`);
  const { low, high, whole } = RANGES[spec.datatype];
  const values =
    spec.datatype === 'BOOL' ? flat.map((value) => (typeof value === 'boolean' ? Number(value) : value)) : flat;
  const bad = values.findIndex(
    (value) => typeof value !== 'number' || value < low || value > high || (whole && !Number.isInteger(value)),
  );
  if (bad !== -1) throw badRequest(`input ${spec.name}: element ${bad} is not a value of ${spec.datatype}`);
  const numbers = values as number[];
  return spec.datatype === 'INT64' ? BigInt64Array.from(numbers, BigInt) : DATATYPES[spec.datatype].from(numbers);
}

/** Elements as JSON has them. Integers beyond 2^53 are rounded there, as any reader of JSON would. */
function jsonOf(datatype: Datatype, values: TensorData): readonly (number | boolean)[] {
  if (datatype === 'FP16') return Array.from(values as Uint16Array, decodeFloat16);
  const numbers = Array.from<number | bigint, number>(values, Number);
  return datatype === 'BOOL' ? numbers.map(Boolean) : numbers;
}

/** Numbers that a datatype may have in JSON. */
const RANGES = {
  FP32: { low: -3.4028234663852886e38, high: 3.4028234663852886e38, whole: false },
  INT64: { low: Number.MIN_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, whole: true },
  INT32: { low: -(2 ** 31), high: 2 ** 31 - 1, whole: true },
  INT8: { low: -128, high: 127, whole: true },
  UINT8: { low: 0, high: 255, whole: true },
  BOOL: { low: 0, high: 1, whole: true },
} as const satisfies Record<Exclude<Datatype, 'FP16'>, unknown>;

/** Typed view of binary data; copied only where alignment forces it. */
function binaryData(bytes: Uint8Array, spec: TensorSpec): TensorData {
  const Type = DATATYPES[spec.datatype];
  const count = elementCount(spec);
  if (bytes.length !== count * Type.BYTES_PER_ELEMENT)
    throw new HoneError('E_INPUT_LENGTH', {
      name: spec.name,
      expected: count,
      found: bytes.length / Type.BYTES_PER_ELEMENT,
    });
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
}

function wantedOutputs(
  json: { outputs?: unknown; parameters?: { binary_data_output?: unknown } },
  specs: readonly TensorSpec[],
): InferRequest['outputs'] {
  const binaryByDefault = json.parameters?.binary_data_output === true;
  if (json.outputs === undefined) return specs.map((_, index) => ({ index, binary: binaryByDefault }));
  if (!Array.isArray(json.outputs)) throw badRequest("expected an array 'outputs'");
  const asked = new Set<number>();
  return (json.outputs as RawTensor[]).map((output) => {
    const index = specs.findIndex(({ name }) => name === output?.name);
    if (index === -1) throw new HoneError('E_OUTPUT_NAME', { name: nameText(output?.name), expected: nameList(specs) });
    if (asked.has(index)) throw badRequest(`output ${specs[index].name} is asked for twice`);
    asked.add(index);
    const binary = output.parameters?.binary_data;
    return { index, binary: typeof binary === 'boolean' ? binary : binaryByDefault };
  });
}

function elementCount(spec: TensorSpec): number {
  return spec.shape.reduce((product, dim) => product * dim, 1);
}

function shapeText(shape: unknown): string {
  const plain = Array.isArray(shape) && shape.length <= 16 && shape.every((dim) => typeof dim === 'number');
  return plain ? `[${shape}]` : shape === undefined ? 'no shape' : 'something else';
}

/** What a request gave as a name, short enough to be shown. */
function nameText(name: unknown): string {
  return typeof name === 'string' ? name.slice(0, 100) : name === undefined ? '(none)' : `a ${typeof name}`;
}

function nameList(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => name).join(', ');
}

function badRequest(reason: string): HoneError {
  return new HoneError('E_REQUEST_FORMAT', { reason });
}
