import { HoneError } from '../core/error';
import { bytesOf } from './binary-elements';
import { countNonFinite, elementsToJson } from './json-elements';
import type { OutputTensor, TensorSpec } from './tensor';
import { joinChunks, type WrittenBody } from './written-body';

/** A tensor to be sent. */
export type NamedTensor = TensorSpec & OutputTensor;

/** An output to be asked for; without `binary` in the form that the request has. */
export interface OutputChoice {
  readonly name: string;
  readonly binary?: boolean;
  readonly classification?: number;
}

/** What a request may say besides its tensors. */
export interface RequestOptions {
  readonly id?: string;
  /** False sends JSON alone and asks for it; true (the default) sends binary tensors and asks for them. */
  readonly binary?: boolean;
  /** Outputs that are wanted; without it all. */
  readonly outputs?: readonly OutputChoice[];
  /** 1 (highest) to 3; 0 is the default. */
  readonly priority?: number;
  /** Microseconds that the request may take; 0 is no limit. */
  readonly timeoutUs?: number;
}

/**
 * The body of an inference request; binary chunks are views of the tensors.
 * @throws E_INPUT_NOT_FINITE for NaN and infinity in JSON
 */
export function writeInferRequest(tensors: readonly NamedTensor[], options: RequestOptions = {}): WrittenBody {
  const { id, binary = true, outputs, priority = 0, timeoutUs = 0 } = options;
  const inputs = tensors.map(({ name, datatype, shape, data }) => {
    const head = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}]`;
    if (binary) return `${head},"parameters":{"binary_data_size":${data.byteLength}}}`;
    const count = countNonFinite(datatype, data);
    if (count > 0) throw new HoneError('E_INPUT_NOT_FINITE', { name, count });
    return `${head},"data":${elementsToJson(datatype, data)}}`;
  });
  const wanted = outputs?.map(({ name, binary: isBinary, classification }) => ({
    name,
    parameters: {
      ...(isBinary === undefined ? {} : { binary_data: isBinary }),
      ...(classification === undefined ? {} : { classification }),
    },
  }));
  const parameters = {
    binary_data_output: binary,
    ...(priority === 0 ? {} : { priority }),
    ...(timeoutUs === 0 ? {} : { timeout: timeoutUs }),
  };
  const header = [
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
    `"parameters":${JSON.stringify(parameters)}`,
    `"inputs":[${inputs.join(',')}]`,
    ...(wanted === undefined ? [] : [`"outputs":${JSON.stringify(wanted)}`]),
  ];
  return joinChunks(`{${header.join(',')}}`, binary ? tensors.map(({ data }) => bytesOf(data)) : []);
}
