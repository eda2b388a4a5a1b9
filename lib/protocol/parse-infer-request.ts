import { HoneError } from '../core/error';
import { elementsFromBytes, findNoBool } from './binary-elements';
import { badRequest, found, isObject } from './found';
import type { InferRequest, ModelPorts, WantedOutput } from './infer-request';
import { elementsFaultText, elementsFromJson } from './json-elements';
import { type Parameters, readParameters, requireKnown } from './parameters';
import { type SplitBody, splitBody } from './split-body';
import { elementsIn, isDatatype, shapeText, type TensorData, type TensorSpec } from './tensor';

/** Keys of the protocol, and `model_name`, which KServe's client sends. */
const REQUEST_KEYS = ['id', 'parameters', 'inputs', 'outputs', 'model_name'];
const INPUT_KEYS = ['name', 'shape', 'datatype', 'parameters', 'data'];
const OUTPUT_KEYS = ['name', 'parameters'];

/** Datatypes of the protocol that no port of a model has. */
const OTHER_DATATYPES = ['BYTES', 'FP64', 'BF16', 'INT16', 'UINT16', 'UINT32', 'UINT64'];

type Json = Readonly<Record<string, unknown>>;

/**
 * An inference request of the Open Inference Protocol v2 over HTTP (github.com/open-inference/open-inference-protocol) with
 * Triton's extensions for binary tensors, classification, priority and timeout, checked against the model. `headerLength` is the
 * HTTP header `Inference-Header-Content-Length` as it came. Nothing of a request is ignored: what is not known or not served is
 * an error; null counts as not given.
 * @throws E_REQUEST_FORMAT, E_REQUEST_UNKNOWN, E_REQUEST_UNSERVED, E_INPUT_NAME, E_INPUT_MISSING, E_INPUT_TYPE, E_INPUT_SHAPE,
 * E_INPUT_LENGTH, E_INPUT_NESTING, E_OUTPUT_NAME
 */
export function parseInferRequest(body: Uint8Array, headerLength: string | undefined, model: ModelPorts): InferRequest {
  const split = splitBody(body, headerLength, badRequest);
  const { json } = split;
  requireKnown(Object.keys(json), REQUEST_KEYS, 'key', 'the request');
  const name = json.model_name ?? model.name;
  if (name !== model.name) throw badRequest(`model_name: expected ${found(model.name)}, found ${found(name)}`);
  const id = json.id ?? undefined;
  if (id !== undefined && typeof id !== 'string') throw badRequest(`id: expected a string, found ${found(id)}`);
  const parameters = readParameters('request', json.parameters, 'the request');
  const { rows, inputs } = readInputs(split, model);
  const timeoutUs = numberOf(parameters, 'timeout');
  return {
    id,
    rows,
    inputs,
    outputs: wantedOutputs(json.outputs, model.outputs, parameters.get('binary_data_output') === true),
    priority: numberOf(parameters, 'priority'),
    timeoutUs: timeoutUs === 0 ? undefined : timeoutUs,
  };
}

function numberOf(parameters: Parameters, name: string): number {
  return (parameters.get(name) as number | undefined) ?? 0;
}

/** The objects of a list. */
function objectsIn(list: unknown, key: string): readonly Json[] {
  if (!Array.isArray(list)) throw badRequest(`expected a list '${key}', found ${found(list)}`);
  return list.map((item: unknown, index) => {
    if (!isObject(item)) throw badRequest(`${key}[${index}]: expected an object, found ${found(item)}`);
    return item;
  });
}

function readInputs(split: SplitBody, { inputs, batch }: ModelPorts): { rows: number; inputs: TensorData[] } {
  const known = new Map<string, TensorData>();
  let rows: number | undefined;
  for (const tensor of objectsIn(split.json.inputs, 'inputs')) {
    const spec = inputs.find(({ name }) => name === tensor.name);
    if (spec === undefined) throw new HoneError('E_INPUT_NAME', { name: nameOf(tensor), expected: namesOf(inputs) });
    if (known.has(spec.name)) throw badRequest(`input ${spec.name} is there twice`);
    requireKnown(Object.keys(tensor), INPUT_KEYS, 'key', `input ${spec.name}`);
    if (tensor.datatype !== spec.datatype)
      throw new HoneError('E_INPUT_TYPE', {
        name: spec.name,
        expected: spec.datatype,
        found: datatypeText(tensor.datatype),
      });
    const shape = shapeOf(tensor.shape, spec, batch, rows);
    if (batch !== undefined) rows = shape[0];
    known.set(spec.name, dataOf(tensor, { ...spec, shape }, split));
  }
  split.end();
  const missing = inputs.find(({ name }) => !known.has(name));
  if (missing !== undefined) throw new HoneError('E_INPUT_MISSING', { name: missing.name, expected: namesOf(inputs) });
  return { rows: rows ?? 1, inputs: inputs.map(({ name }) => known.get(name)!) };
}

/** The shape that a request gives, if the model takes it. */
function shapeOf(
  given: unknown,
  { name, shape }: TensorSpec,
  batch: number | undefined,
  rows: number | undefined,
): readonly number[] {
  const isLeading = (axis: number) => batch !== undefined && axis === 0;
  const fits = (extent: unknown, axis: number) =>
    isLeading(axis)
      ? typeof extent === 'number' &&
        Number.isInteger(extent) &&
        extent >= 1 &&
        extent <= batch! &&
        extent === (rows ?? extent)
      : extent === shape[axis];
  if (Array.isArray(given) && given.length === shape.length && given.every(fits)) return given as number[];
  const leading = rows === undefined ? (batch === 1 ? '1' : `1..${batch}`) : `${rows}`;
  throw new HoneError('E_INPUT_SHAPE', {
    name,
    expected: shapeText(shape.map((extent, axis) => (isLeading(axis) ? leading : extent))),
    found:
      Array.isArray(given) && given.length <= 16 && given.every((extent) => typeof extent === 'number')
        ? shapeText(given)
        : found(given),
  });
}

function dataOf({ parameters, data }: Json, spec: TensorSpec, split: SplitBody): TensorData {
  const owner = `input ${spec.name}`;
  const size = readParameters('input', parameters, owner).get('binary_data_size') as number | undefined;
  const isGiven = data !== undefined && data !== null;
  if (size === undefined) return jsonData(data, spec);
  if (isGiven) throw badRequest(`${owner} has both 'data' and binary_data_size`);
  return binaryData(split.take(size, owner), spec);
}

function jsonData(data: unknown, { name, datatype, shape }: TensorSpec): TensorData {
  const read = elementsFromJson(datatype, shape, data);
  if ('data' in read) return read.data;
  const { fault } = read;
  if (fault.kind === 'count')
    throw new HoneError('E_INPUT_LENGTH', { name, expected: elementsIn(shape), found: fault.found });
  if (fault.kind === 'nesting')
    throw new HoneError('E_INPUT_NESTING', {
      name,
      expected: fault.expected,
      shape: shapeText(shape),
      found: fault.found,
    });
  throw badRequest(`input ${name}: ${elementsFaultText(fault, datatype, shape)}`);
}

function binaryData(bytes: Uint8Array, { name, datatype, shape }: TensorSpec): TensorData {
  const data = elementsFromBytes(datatype, bytes);
  const expected = elementsIn(shape);
  if (data?.length !== expected)
    throw new HoneError('E_INPUT_LENGTH', { name, expected, found: data?.length ?? `${bytes.length} bytes` });
  const bad = datatype === 'BOOL' ? findNoBool(bytes) : -1;
  if (bad !== -1) throw badRequest(`input ${name}: element ${bad} is not a value of BOOL: byte ${bytes[bad]}`);
  return data;
}

function wantedOutputs(
  given: unknown,
  specs: readonly TensorSpec[],
  binaryByDefault: boolean,
): readonly WantedOutput[] {
  const list = given === undefined || given === null ? [] : objectsIn(given, 'outputs');
  if (list.length === 0) return specs.map((_, index) => ({ index, binary: binaryByDefault }));
  const asked = new Set<number>();
  return list.map((output) => {
    const index = specs.findIndex(({ name }) => name === output.name);
    if (index === -1) throw new HoneError('E_OUTPUT_NAME', { name: nameOf(output), expected: namesOf(specs) });
    const { name, datatype } = specs[index];
    if (asked.has(index)) throw badRequest(`output ${name} is asked for twice`);
    asked.add(index);
    requireKnown(Object.keys(output), OUTPUT_KEYS, 'key', `output ${name}`);
    const parameters = readParameters('output', output.parameters, `output ${name}`);
    const binary = (parameters.get('binary_data') as boolean | undefined) ?? binaryByDefault;
    const classification = numberOf(parameters, 'classification');
    if (classification === 0) return { index, binary };
    if (datatype === 'BOOL')
      throw new HoneError('E_REQUEST_UNSERVED', {
        what: `parameter classification of output ${name}`,
        reason: 'its elements are BOOL, which has no best ones',
      });
    return { index, binary, classification };
  });
}

function nameOf({ name }: Json): string {
  return typeof name === 'string' ? name.slice(0, 100) : `(${found(name)})`;
}

function namesOf(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => name).join(', ');
}

function datatypeText(datatype: unknown): string {
  if (isDatatype(datatype)) return datatype;
  const isOther = typeof datatype === 'string' && OTHER_DATATYPES.includes(datatype);
  return isOther ? `${datatype}, which no model of Hone has` : found(datatype);
}
