import type { Datatype } from '../core/datatype';
import { HoneError } from '../core/error';
import { bytesOf, bytesOfStrings } from './binary-elements';
import { classify, countClasses } from './classify';
import type { InferRequest, WantedOutput } from './infer-request';
import { countNonFinite, elementsToJson } from './json-elements';
import { type OutputTensor, shapeText, type TensorSpec } from './tensor';
import { joinChunks, type WrittenBody } from './written-body';

/** Most elements that a response has in JSON: their text stays below what one string of JavaScript holds. */
const MOST_JSON_ELEMENTS = 2 ** 24;
/** Most texts of classes that an output gives. */
const MOST_CLASSES = 2 ** 16;

/** The body of a response, and what was seen while it was written. */
export interface WrittenResponse extends WrittenBody {
  /** Elements of binary outputs that are NaN or infinite. */
  readonly nonFinite: number;
}

/** An output as it travels: JSON, or bytes. */
interface Written {
  readonly datatype: Datatype | 'BYTES';
  readonly shape: readonly number[];
  readonly data: string | Uint8Array;
}

/**
 * The response with the outputs that the request wants. `specs` are the model's outputs; `given` holds what a run gave for each,
 * `labels` the names of its classes where it has any, both in the same order. The chunks behind the first are views of `given`: they
 * are to be sent before it changes.
 * @throws E_OUTPUT_NOT_FINITE for NaN and infinity where JSON or classes are wanted, E_REQUEST_UNSERVED for too much of either
 */
export function writeInferResponse(
  model: { readonly name: string; readonly version: string },
  request: Pick<InferRequest, 'id' | 'outputs'>,
  specs: readonly TensorSpec[],
  given: readonly OutputTensor[],
  labels: readonly (readonly string[] | undefined)[] = [],
): WrittenResponse {
  requireShortJson(request.outputs, specs, given);
  const blobs: Uint8Array[] = [];
  let nonFinite = 0;
  const outputs = request.outputs.map((wanted) => {
    const { name, datatype } = specs[wanted.index];
    const output = given[wanted.index];
    const notFinite = countNonFinite(datatype, output.data);
    if (notFinite > 0 && (!wanted.binary || wanted.classification !== undefined))
      throw new HoneError('E_OUTPUT_NOT_FINITE', { name, count: notFinite });
    nonFinite += notFinite;
    const written =
      wanted.classification === undefined
        ? writeElements(datatype, output, wanted.binary)
        : writeClasses(specs[wanted.index], output, wanted.classification, wanted.binary, labels[wanted.index]);
    const head = `{"name":${JSON.stringify(name)},"datatype":"${written.datatype}","shape":${shapeText(written.shape)}`;
    if (typeof written.data === 'string') return `${head},"data":${written.data}}`;
    blobs.push(written.data);
    return `${head},"parameters":{"binary_data_size":${written.data.length}}}`;
  });
  const header = [
    `"model_name":${JSON.stringify(model.name)}`,
    `"model_version":${JSON.stringify(model.version)}`,
    ...(request.id === undefined ? [] : [`"id":${JSON.stringify(request.id)}`]),
    `"outputs":[${outputs.join(',')}]`,
  ];
  return { ...joinChunks(`{${header.join(',')}}`, blobs), nonFinite };
}

function writeElements(datatype: Datatype, { shape, data }: OutputTensor, binary: boolean): Written {
  return { datatype, shape, data: binary ? bytesOf(data) : elementsToJson(datatype, data) };
}

function writeClasses(
  { name, datatype }: TensorSpec,
  output: OutputTensor,
  count: number,
  binary: boolean,
  labels: readonly string[] | undefined,
): Written {
  const texts = countClasses(output.shape, count);
  if (texts > MOST_CLASSES)
    throw new HoneError('E_REQUEST_UNSERVED', {
      what: `parameter classification of output ${name}`,
      reason: `it asks for ${texts} classes; an output gives ${MOST_CLASSES} at most`,
    });
  const classes = classify(datatype, output, count, labels);
  return {
    datatype: 'BYTES',
    shape: classes.shape,
    data: binary ? bytesOfStrings(classes.texts) : JSON.stringify(classes.texts),
  };
}

/** @throws E_REQUEST_UNSERVED */
function requireShortJson(
  wanted: readonly WantedOutput[],
  specs: readonly TensorSpec[],
  given: readonly OutputTensor[],
): void {
  let elements = 0;
  for (const { index, binary, classification } of wanted) {
    if (!binary && classification === undefined) elements += given[index].data.length;
    if (elements > MOST_JSON_ELEMENTS)
      throw new HoneError('E_REQUEST_UNSERVED', {
        what: `output ${specs[index].name} in JSON`,
        reason: `the response would have more than ${MOST_JSON_ELEMENTS} elements in JSON; ask for binary_data`,
      });
  }
}
