import type { Datatype } from '../core/datatype';
import { elementsFromBytes, stringsFromBytes } from './binary-elements';
import { badResponse, found, isObject } from './found';
import { elementsFaultText, elementsFromJson } from './json-elements';
import { type SplitBody, splitBody } from './split-body';
import { elementsIn, isDatatype, type TensorData } from './tensor';

/** An output of a response; classes come as texts of datatype BYTES. */
export type ResponseTensor = { readonly name: string; readonly shape: readonly number[] } & (
  | { readonly datatype: Datatype; readonly data: TensorData }
  | { readonly datatype: 'BYTES'; readonly data: readonly string[] }
);

/** A response that was read. */
export interface InferResponse {
  readonly modelName: string | undefined;
  readonly modelVersion: string | undefined;
  readonly id: string | undefined;
  readonly outputs: readonly ResponseTensor[];
}

/**
 * The response in a body; elements are copies with memory of their own. `headerLength` is the HTTP header of the protocol as it
 * came. What a response has beyond the protocol is left alone.
 * @throws E_RESPONSE_FORMAT, also for INT64 in JSON beyond 2^53, whose digits no reader of JSON keeps
 */
export function readInferResponse(body: Uint8Array, headerLength: string | undefined): InferResponse {
  const split = splitBody(body, headerLength, badResponse);
  const { model_name, model_version, id, outputs } = split.json;
  if (!Array.isArray(outputs)) throw badResponse(`expected a list 'outputs', found ${found(outputs)}`);
  const tensors = outputs.map((output: unknown, index) => readOutput(output, index, split));
  split.end();
  return {
    modelName: textOf(model_name, 'model_name'),
    modelVersion: textOf(model_version, 'model_version'),
    id: textOf(id, 'id'),
    outputs: tensors,
  };
}

function textOf(value: unknown, key: string): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw badResponse(`${key}: expected a string, found ${found(value)}`);
}

function readOutput(output: unknown, index: number, split: SplitBody): ResponseTensor {
  if (!isObject(output)) throw badResponse(`outputs[${index}]: expected an object, found ${found(output)}`);
  const { name, datatype, shape, data, parameters } = output;
  if (typeof name !== 'string') throw badResponse(`outputs[${index}]: expected a name, found ${found(name)}`);
  const wrong = (reason: string) => badResponse(`output ${name.slice(0, 100)}: ${reason}`);
  if (!isShape(shape)) throw wrong('expected a shape of whole numbers');
  const size = isObject(parameters) ? parameters.binary_data_size : undefined;
  if (size !== undefined && !(typeof size === 'number' && Number.isInteger(size) && size >= 0))
    throw wrong(`binary_data_size: expected a whole number of at least 0, found ${found(size)}`);
  const bytes = size === undefined ? undefined : split.take(size, `output ${name}`);
  const count = elementsIn(shape);
  if (datatype === 'BYTES') {
    const texts = bytes === undefined ? textsIn(data) : stringsFromBytes(bytes);
    if (texts === undefined) throw wrong('its elements are no texts');
    if (texts.length !== count) throw wrong(`expected ${count} elements, found ${texts.length}`);
    return { name, shape, datatype, data: texts };
  }
  if (!isDatatype(datatype)) throw wrong(`its datatype is ${found(datatype)}`);
  if (bytes !== undefined) {
    // A copy lies at an aligned place, and does not keep the body.
    const elements = elementsFromBytes(datatype, new Uint8Array(bytes));
    if (elements?.length !== count) throw wrong(`expected ${count} elements, found ${bytes.length} bytes`);
    return { name, shape, datatype, data: elements };
  }
  const read = elementsFromJson(datatype, shape, data);
  if ('data' in read) return { name, shape, datatype, data: read.data };
  const hint = datatype === 'INT64' && read.fault.kind === 'element' ? '; ask for binary_data' : '';
  throw wrong(elementsFaultText(read.fault, datatype, shape) + hint);
}

function isShape(shape: unknown): shape is readonly number[] {
  return Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
}

function textsIn(data: unknown): readonly string[] | undefined {
  const flat: unknown = Array.isArray(data) ? data.flat(8) : undefined;
  return Array.isArray(flat) && flat.every((text) => typeof text === 'string') ? flat : undefined;
}
