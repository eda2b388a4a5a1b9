import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { normalize, type Picture, parsePreprocess, resizePicture } from '../../lib/core/preprocess';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { decodeImage } from '../../lib/data/image';
import { tensorOf, viewAs } from '../../lib/ir/tensor';
import { cifarSamples, part, type Samples } from './samples';

/** The photographs that are cut, below the data folder: for training, and for the test. */
export const FACES = ['data/faces/1.jpg', 'data/faces/13.jpg'] as const;

const SIDE = 96;
const SPEC = parsePreprocess({ size: [SIDE, SIDE], scale: 1 / 255 });
/** Cuts per picture of faces, and CIFAR-10 pictures taken of each part. */
const CUTS = 100;
const TAKEN = { training: 700, validation: 100, test: 300 };

/**
 * Pictures without labels for a network with an input `[3, 96, 96]` of pixels in [0, 1]: enlarged CIFAR-10 pictures, and cuts of
 * any size out of photographs with faces. Those of the test part come from other pictures than the rest.
 */
export async function picturesFor(folder: string, input: string): Promise<Samples> {
  const cifar = cifarSamples(folder, 'raw');
  const enlarged = async (from: 'training' | 'validation' | 'test'): Promise<Float32Array[]> => {
    const count = TAKEN[from];
    const pictures: Float32Array[] = [];
    for await (const { inputs } of part(cifar[from], 0, count).batches({ size: count })) {
      const data = viewAs(inputs.get('input')!, 'float32');
      for (let n = 0; n < count; n++) pictures.push(toInput(fromPlanes(data.subarray(n * 3072, (n + 1) * 3072))));
    }
    return pictures;
  };
  const dataset = (name: string, pictures: readonly Float32Array[]) => {
    const data = new Float32Array(pictures.length * 3 * SIDE * SIDE);
    pictures.forEach((picture, n) => {
      data.set(picture, n * picture.length);
    });
    return datasetFromTensors(name, new Map([[input, tensorOf('float32', [pictures.length, 3, SIDE, SIDE], data)]]));
  };
  const training = dataset('pictures', [...cutsOf(folder, FACES[0], 1), ...(await enlarged('training'))]);
  return {
    training,
    validation: dataset('validation pictures', await enlarged('validation')),
    calibration: part(training, 0, 256),
    test: dataset('test pictures', [...cutsOf(folder, FACES[1], 2), ...(await enlarged('test'))]),
  };
}

function toInput(picture: Picture): Float32Array {
  return normalize(resizePicture(picture, SIDE, SIDE), SPEC);
}

function fromPlanes(planes: Float32Array): Picture {
  const plane = planes.length / 3;
  return { width: 32, height: 32, rgb: Uint8Array.from(planes, (_, i) => planes[(i % 3) * plane + Math.floor(i / 3)]) };
}

/** Square cuts at random places, from a twelfth of the shorter side up to all of it. */
function cutsOf(folder: string, name: string, seed: number): Float32Array[] {
  const path = resolve(folder, name);
  const picture = decodeImage(readFileSync(path), path);
  const rng = new Rng(seed);
  return Array.from({ length: CUTS }, () => {
    const shorter = Math.min(picture.width, picture.height);
    const side = rng.integer(Math.ceil(shorter / 12), shorter);
    const [left, top] = [rng.integer(0, picture.width - side), rng.integer(0, picture.height - side)];
    const rgb = new Uint8Array(3 * side * side);
    for (let y = 0; y < side; y++) {
      const from = 3 * ((top + y) * picture.width + left);
      rgb.set(picture.rgb.subarray(from, from + 3 * side), 3 * y * side);
    }
    return toInput({ width: side, height: side, rgb });
  });
}
