import { readFile } from 'node:fs/promises';
import type { Datatype } from '../core/datatype';
import { HoneError, readError } from '../core/error';
import { decodeFloat16 } from '../core/half';
import { notedOutputs, notedPreprocess } from '../core/notes';
import { type Decoded, decodeOutputs } from '../core/outputs/decode-outputs';
import type { OutputArray } from '../core/outputs/output-array';
import { sightOf } from '../core/outputs/sight';
import { type Picture, preprocess, sampleShape } from '../core/preprocess';
import type { ExpectedInput, ExpectedInputs } from '../data/fit-input';
import { decodeImage } from '../data/image';
import { openPictureInput } from '../data/picture-input';
import type { ResponseTensor } from '../protocol/read-infer-response';
import { isDatatype } from '../protocol/tensor';
import { type Inputs, type Outputs, outputsByName, type TensorMetadata } from './tensors';

/** What messages call a picture without a path. */
const GIVEN = 'the picture';
/** Words for elements of a datatype where data are read. */
const ELEMENTS: Readonly<Record<Datatype, ExpectedInput['type']>> = {
  FP32: 'float32',
  FP16: 'float16',
  INT64: 'int64',
  INT32: 'int32',
  INT8: 'int8',
  UINT8: 'uint8',
  BOOL: 'bool',
};

/** A picture: the path of a PNG or JPEG file, the bytes of one, or pixels. */
export type PictureSource = string | Uint8Array | Picture;

/** What a model said of a picture. */
export interface PictureAnswer {
  readonly outputs: Outputs;
  /** What they mean; undefined where the model's file does not say. */
  readonly meaning: Decoded | undefined;
}

/** Parameters in a model's configuration: what its file notes, under keys of ours. */
export type ModelParameters = Readonly<Record<string, { readonly string_value?: unknown } | undefined>>;

/** A model that may take pictures. */
interface PictureModel {
  readonly inputs: readonly TensorMetadata[];
  readonly parameters: ModelParameters | undefined;
  ask(inputs: Inputs): Promise<readonly ResponseTensor[]>;
}

/**
 * What a model says of one picture.
 * @throws what `decodeImage`, `openPictureInput`, `decodeOutputs` and asking throw; E_FILE_NOT_FOUND, E_FILE_ACCESS, E_FILE_FOLDER
 */
export async function inferPicture(
  source: PictureSource,
  { inputs, parameters, ask }: PictureModel,
): Promise<PictureAnswer> {
  const picture = await openPicture(source);
  const noted = metadataOf(parameters);
  const told = notedPreprocess(noted);
  const options = { inputs: expectedOf(inputs), ...(told && { preprocess: told }) };
  const from = typeof source === 'string' ? source : GIVEN;
  const { name, sample, spec: how } = await openPictureInput(from, options, () => picture);
  const values = preprocess(picture, how);
  const found = await ask({ [name]: sample.type === 'uint8' ? Uint8Array.from(values) : values });
  const outputs = outputsByName(found);
  const spec = notedOutputs(noted);
  if (spec === undefined) return { outputs, meaning: undefined };
  const { width, height } = picture;
  const sight = spec.kind === 'boxes' ? sightOf([[1, ...sampleShape(how)]], { width, height }, told) : undefined;
  return { outputs, meaning: decodeOutputs(spec, new Map(found.map(numbersOf)), { sight }) };
}

async function openPicture(source: PictureSource): Promise<Picture> {
  if (typeof source === 'string') {
    const bytes = await readFile(source).catch((error: unknown) => {
      throw readError(source, error);
    });
    return decodeImage(bytes, source);
  }
  if (source instanceof Uint8Array) return decodeImage(source, GIVEN);
  const { width, height, rgb } = source;
  if (isExtent(width) && isExtent(height) && rgb?.length === 3 * width * height) return source;
  throw new HoneError('E_DATA_FORMAT', {
    path: GIVEN,
    reason: `expected ${3 * width * height} bytes of red, green, blue for ${width} x ${height} pixels, found ${rgb?.length}`,
  });
}

const isExtent = (value: number) => Number.isInteger(value) && value >= 1;

function metadataOf(parameters: ModelParameters = {}): ReadonlyMap<string, string> {
  const texts = Object.entries(parameters).map(([key, value]) => [key, value?.string_value] as const);
  return new Map(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** The inputs as data must fit them: one row of a batch. */
function expectedOf(inputs: readonly TensorMetadata[]): ExpectedInputs {
  return new Map(
    inputs.map(({ name, datatype, shape }) => {
      if (!isDatatype(datatype))
        throw new HoneError('E_RESPONSE_FORMAT', { reason: `the datatype of input ${name} is ${datatype}` });
      return [name, { type: ELEMENTS[datatype], shape: shape.map((dim) => (dim === -1 ? 1 : dim)) }];
    }),
  );
}

/** An output with elements that are numbers. */
function numbersOf({ name, shape, datatype, data }: ResponseTensor): [string, OutputArray] {
  if (datatype === 'FP16') return [name, { dims: shape, data: Array.from(data as Uint16Array, decodeFloat16) }];
  return [name, { dims: shape, data: Array.from(data as ArrayLike<number | bigint>, Number) }];
}
