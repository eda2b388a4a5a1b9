import { HoneError } from '../core/error';
import { Rng, streamSeed } from '../core/rng';
import type { Batch, Dataset } from '../ir/dataset';
import { elementCount, type Tensor, tensorOf, viewAs } from '../ir/tensor';

export interface AugmentOptions {
  /** Moves every picture by up to so many pixels along both axes; the border fills with zeros. 0 when left out. */
  readonly shift?: number;
  /** Mirrors every other picture, left to right; false when left out. */
  readonly flip?: boolean;
}

/** Keeps the draws apart from the order of the samples, which has the same seed. */
const AUGMENT_STREAM = 0x5eed;
/** Inputs with more channels are no pictures. */
const MAX_CHANNELS = 4;

/**
 * The dataset with its pictures (float32 inputs `[C, H, W]`) changed at random whenever it is read with a seed, that is for
 * training. What happens to a batch depends on the seed and the number of the batch alone, so `skip` leaves the rest as it was.
 * @throws E_DATA_MISMATCH when no input is a picture
 */
export function augment(dataset: Dataset, options: AugmentOptions): Dataset {
  const { shift = 0, flip = false } = options;
  if (shift === 0 && !flip) return dataset;
  const pictures = [...dataset.inputs]
    .filter(
      ([, { type, dims, axis = 0 }]) =>
        axis === 0 && type === 'float32' && dims.length === 3 && dims[0] <= MAX_CHANNELS,
    )
    .map(([name]) => name);
  if (pictures.length === 0)
    throw new HoneError('E_DATA_MISMATCH', {
      expected: `pictures [C,H,W] of float32 and at most ${MAX_CHANNELS} channels to augment`,
      found: [...dataset.inputs].map(([name, { type, dims }]) => `${name}: ${type}[${dims}]`).join(', '),
    });
  return {
    ...dataset,
    async *batches(read) {
      let index = read.skip ?? 0;
      for await (const batch of dataset.batches(read)) {
        if (read.seed === undefined) yield batch;
        else yield change(batch, pictures, new Rng(streamSeed(read.seed ^ AUGMENT_STREAM, index++)), shift, flip);
      }
    },
    select: (indices) => augment(dataset.select(indices), options),
  };
}

/** How one picture changes. */
interface Change {
  readonly dx: number;
  readonly dy: number;
  readonly mirrored: boolean;
}

function change(batch: Batch, pictures: readonly string[], rng: Rng, shift: number, flip: boolean): Batch {
  const changes = Array.from({ length: batch.count }, (): Change => {
    const [dy, dx] = [rng.integer(-shift, shift), rng.integer(-shift, shift)];
    return { dx, dy, mirrored: flip && rng.uniform() < 0.5 };
  });
  const inputs = new Map(batch.inputs);
  for (const name of pictures) inputs.set(name, moved(batch.inputs.get(name)!, changes));
  return { ...batch, inputs };
}

function moved(images: Tensor, changes: readonly Change[]): Tensor {
  const [, channels, height, width] = images.dims;
  const source = viewAs(images, 'float32');
  const result = new Float32Array(elementCount(images.dims));
  changes.forEach(({ dx, dy, mirrored }, n) => {
    for (let row = 0; row < channels * height; row++) {
      const y = (row % height) - dy;
      if (y < 0 || y >= height) continue;
      const from = (n * channels * height + row - dy) * width;
      const start = Math.max(0, dx);
      const target = result.subarray((n * channels * height + row) * width, (n * channels * height + row + 1) * width);
      target.set(source.subarray(from + start - dx, from + Math.min(width, width + dx) - dx), start);
      if (mirrored) target.reverse();
    }
  });
  return tensorOf('float32', images.dims, result);
}
