import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { parseIdx } from '../../lib/data/idx';
import type { Dataset } from '../../lib/ir/dataset';
import { tensorOf } from '../../lib/ir/tensor';

/** Labelled samples split by index: no sample is in two parts. The test part is read once, at the end. */
export interface Samples {
  readonly training: Dataset;
  /** Chooses between candidates. */
  readonly validation: Dataset;
  /** For ranges and reconstruction; a part of the training samples, as no labels are used. */
  readonly calibration: Dataset;
  readonly test: Dataset;
}

/** The files that a set of samples is read from, below the data folder. */
export const SAMPLE_FILES = {
  mnist: [
    'data/mnist/train-images-idx3-ubyte.gz',
    'data/mnist/train-labels-idx1-ubyte.gz',
    'data/mnist/t10k-first5000-images-idx3-ubyte.gz',
    'data/mnist/t10k-first5000-labels-idx1-ubyte.gz',
  ],
  cifar: ['data/cifar10/train_raw_3000.bin.gz', 'data/cifar10/test_raw_500a.bin.gz'],
  kws: ['data/kws/mfcc_int8_500x49x10.bin', 'data/kws/labels_u8_500.bin'],
} as const;

/** What is missing of a set of samples below `folder`; undefined when all is there. */
export function lackingSamples(folder: string, set: keyof typeof SAMPLE_FILES): string | undefined {
  return SAMPLE_FILES[set].map((file) => resolve(folder, file)).find((path) => !existsSync(path));
}

/** MNIST: 55,000 digits to train, 5,000 to validate, the 5,000 test digits given. Input `x` `[1, 28, 28]`, pixels in [0, 1]. */
export function mnistSamples(folder: string): Samples {
  const [trainImages, trainLabels, testImages, testLabels] = SAMPLE_FILES.mnist.map((file) => unpack(folder, file));
  const digits = (name: string, images: Uint8Array, labels: Uint8Array): Dataset => {
    const { dims, bytes } = parseIdx(images, name);
    const pixels = Float32Array.from(bytes, (pixel) => pixel / 255);
    const x = tensorOf('float32', [dims[0], 1, 28, 28], pixels);
    return datasetFromTensors(name, new Map([['x', x]]), Int32Array.from(parseIdx(labels, name).bytes));
  };
  return split(digits('MNIST training', trainImages, trainLabels), 5000, digits('MNIST test', testImages, testLabels));
}

/** Mean and deviation per channel with which the CIFAR-10 model resnet20 was trained. */
const NORMALIZATION = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/**
 * CIFAR-10: 2,600 pictures to train, 400 to validate, 500 to test. Input `input` `[3, 32, 32]`: `raw` holds 0..255,
 * `normalized` pixels / 255 less the mean, divided by the deviation of the channel.
 */
export function cifarSamples(folder: string, form: 'raw' | 'normalized'): Samples {
  const [training, test] = SAMPLE_FILES.cifar.map((file) => cifarPictures(folder, file, form));
  return split(training, 400, test);
}

/** All 3,000 CIFAR-10 pictures that are not for the test, normalized: where nothing is chosen by validation. */
export function allCifar(folder: string): Dataset {
  return cifarPictures(folder, SAMPLE_FILES.cifar[0], 'normalized');
}

function cifarPictures(folder: string, file: string, form: 'raw' | 'normalized'): Dataset {
  const records = unpack(folder, file);
  const count = records.length / 3073;
  const pixels = new Float32Array(count * 3072);
  const labels = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    labels[n] = records[n * 3073];
    for (let i = 0; i < 3072; i++) {
      const channel = Math.floor(i / 1024);
      const raw = records[n * 3073 + 1 + i];
      const { mean, deviation } = NORMALIZATION;
      pixels[n * 3072 + i] = form === 'raw' ? raw : (raw / 255 - mean[channel]) / deviation[channel];
    }
  }
  return datasetFromTensors(file, new Map([['input', tensorOf('float32', [count, 3, 32, 32], pixels)]]), labels);
}

/** Spoken words as MFCC: the first 300 to fit (240 to train, 60 to validate), the last 200 to test. Input named `input`. */
export function kwsSamples(folder: string, input: string): Samples {
  const [features, labels] = SAMPLE_FILES.kws.map((file) => readFileSync(resolve(folder, file)));
  const values = Float32Array.from(new Int8Array(features.buffer, features.byteOffset, features.length), (q) =>
    Math.fround((q - 83) * 0.5847029089927673),
  );
  const all = datasetFromTensors(
    'spoken words',
    new Map([[input, tensorOf('float32', [labels.length, 1, 49, 10], values)]]),
    Int32Array.from(labels),
  );
  return split(part(all, 0, 300), 60, part(all, 300, all.count));
}

/** Samples `from` to before `to`. */
export function part(dataset: Dataset, from: number, to: number): Dataset {
  return dataset.select(Array.from({ length: to - from }, (_, index) => from + index));
}

function split(fitting: Dataset, validation: number, test: Dataset): Samples {
  const count = fitting.count - validation;
  const training = part(fitting, 0, count);
  return {
    training,
    validation: part(fitting, count, fitting.count),
    calibration: part(training, 0, Math.min(count, 512)),
    test,
  };
}

function unpack(folder: string, file: string): Uint8Array {
  const raw = readFileSync(resolve(folder, file));
  return new Uint8Array(gunzipSync(raw));
}
