import { HoneError } from '../core/error';
import { bytesOf, bytesOfStrings } from './binary-elements';
import { classify } from './classify';
import type { InferRequest, WantedOutput } from './infer-request';
import { countNonFinite, elementsToJson } from './json-elements';
import type { OutputTensor, TensorSpec } from './tensor';
import { joinChunks, type WrittenBody } from './written-body';

/** Most elements that a response has in JSON: their text stays below what one string of JavaScript holds. */
const MOST_JSON_ELEMENTS = 2 ** 24;

/** The body of a response, and what was seen while it was written. */
export interface WrittenResponse extends WrittenBody {
  /** Elements of binary outputs that are NaN or infinite. */
  readonly nonFinite: number;
}

/**
 * The response with the outputs that the request wants. `specs` are the model's outputs; `given` holds what a run gave for each,
 * `labels` the names of its classes where it has any, both in the same order. The chunks behind the first are views of `given`: they
 * are to be sent before it changes.
 * @throws E_OUTPUT_NOT_FINITE for NaN and infinity where JSON or classes are wanted, E_REQUEST_UNSERVED for too much JSON
 */
export function writeInferResponse(
  model: { readonly name: string; readonly version: string },
  request: Pick<InferRequest, 'id' | 'outputs'>,
  specs: readonly TensorSpec[],
  given: readonly OutputTensor[],
  labels: readonly (readonly string[] | undefined)[] = [],
): WrittenResponse {
  const blobs: Uint8Array[] = [];
  let nonFinite = 0;
  let jsonElements = 0;
  const outputs = request.outputs.map(({ index, binary, classification }: WantedOutput) => {
    const { name, datatype } = specs[index];
    const output = given[index];
    const notFinite = countNonFinite(datatype, output.data);
    if (notFinite > 0 && (!binary || classification !== undefined))
      throw new HoneError('E_OUTPUT_NOT_FINITE', { name, count: notFinite });
    nonFinite += notFinite;
    const write = (type: string, shape: readonly number[], bytes: () => Uint8Array, json: () => string): string => {
      const head = `{"name":${JSON.stringify(name)},"datatype":"${type}","shape":[${shape.join(',')}]`;
      if (!binary) return `${head},"data":${json()}}`;
      const blob = bytes();
      blobs.push(blob);
      return `${head},"parameters":{"binary_data_size":${blob.length}}}`;
    };
    if (classification !== undefined) {
      const { shape, texts } = classify(datatype, output, classification, labels[index]);
      return write(
        'BYTES',
        shape,
        () => bytesOfStrings(texts),
        () => JSON.stringify(texts),
      );
    }
    if (!binary) jsonElements += output.data.length;
    if (jsonElements > MOST_JSON_ELEMENTS)
      throw new HoneError('E_REQUEST_UNSERVED', {
        what: `output ${name} in JSON`,
        reason: `the response would have more than ${MOST_JSON_ELEMENTS} elements in JSON; ask for binary_data`,
      });
    return write(
      datatype,
      output.shape,
      () => bytesOf(output.data),
      () => elementsToJson(datatype, output.data),
    );
  });
  const id = request.id === undefined ? '' : `"id":${JSON.stringify(request.id)},`;
  const header = `{"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)},${id}"outputs":[${outputs.join(',')}]}`;
  return { ...joinChunks(header, blobs), nonFinite };
}
