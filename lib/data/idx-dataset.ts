import { HoneError } from '../core/error';
import { channelCount, type Picture, type PreprocessSpec, preprocess, sampleShape } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import { elementCount, type Tensor, tensorOf } from '../ir/tensor';
import { openArrays } from './array-dataset';
import { mismatch } from './convert';
import { createDataset } from './create-dataset';
import { type ExpectedInputs, fitPreprocessed, labelsFrom, requireCount, reshapeSample } from './fit-input';

interface IdxOptions {
  readonly inputs?: ExpectedInputs;
  readonly preprocess?: PreprocessSpec;
}

/**
 * Dataset over the array of an idx file, as input `name`. Extents of 1 (a channel axis) are added or dropped to fit the
 * model; with a preprocessing the array must hold gray 8-bit images `[samples, height, width]`.
 * @throws E_DATA_MISMATCH, E_DATA_EMPTY
 */
export function openIdx(
  path: string,
  name: string,
  array: Tensor,
  labels: Tensor | undefined,
  options: IdxOptions,
): Dataset {
  if (options.preprocess) return openGrayImages(path, name, array, labels, options.preprocess, options.inputs);
  const inner = reshapeSample(array.dims.slice(1), options.inputs?.get(name)?.shape);
  // Left as it is when it does not fit: the check of arrays phrases the error.
  const shaped = inner ? { ...array, dims: [array.dims[0], ...inner] } : array;
  return openArrays(path, new Map([[name, shaped]]), labels, options.inputs);
}

function openGrayImages(
  path: string,
  name: string,
  images: Tensor,
  labels: Tensor | undefined,
  spec: PreprocessSpec,
  expected: ExpectedInputs | undefined,
): Dataset {
  const [count, height, width] = images.dims;
  if (images.type !== 'uint8' || images.dims.length !== 3)
    throw mismatch('uint8 images [samples, height, width] to preprocess', `${images.type}[${images.dims.join(',')}]`);
  if (channelCount(spec) !== 1) throw mismatch("preprocessing with channels 'gray'", `'${spec.channels}'`);
  const classes = labels && labelsFrom(labels);
  if (requireCount([[name, count]], classes) === 0) throw new HoneError('E_DATA_EMPTY', { path });
  const dims = sampleShape(spec);
  const type = expected?.get(name)?.type ?? 'float32';
  if (type !== 'float32') throw mismatch(`elements of type ${type} for '${name}'`, 'preprocessed images (float32)');
  return createDataset({
    name: path,
    count,
    inputs: new Map([[name, { type, ...fitPreprocessed(name, expected?.get(name), dims) }]]),
    labels: classes,
    read: async (indices) => {
      const result = new Float32Array(indices.length * elementCount(dims));
      indices.forEach((index, row) => {
        const gray = images.bytes.subarray(index * height * width, (index + 1) * height * width);
        result.set(preprocess(grayPicture(gray, height, width), spec), row * elementCount(dims));
      });
      return new Map([[name, tensorOf(type, [indices.length, ...dims], result)]]);
    },
  });
}

function grayPicture(gray: Uint8Array, height: number, width: number): Picture {
  const rgb = new Uint8Array(3 * gray.length);
  gray.forEach((byte, pixel) => {
    rgb.fill(byte, 3 * pixel, 3 * pixel + 3);
  });
  return { width, height, rgb };
}
