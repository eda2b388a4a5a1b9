import { Rng } from '../../lib/core/rng';
import type { Dataset } from '../../lib/ir/dataset';
import { elementCount, type Tensor, tensorOf, viewAs } from '../../lib/ir/tensor';

/**
 * The dataset with every image `[C, H, W]` (float32) moved by up to `pixels` along both axes whenever it is read with a
 * seed, that is for training; the border fills with zeros. The seed of the order decides the shifts too.
 */
export function shiftImages(dataset: Dataset, pixels: number): Dataset {
  return {
    ...dataset,
    async *batches(options) {
      const rng = options.seed === undefined ? undefined : new Rng(options.seed ^ SHIFT_STREAM);
      for await (const batch of dataset.batches(options)) {
        if (!rng) yield batch;
        else yield { ...batch, inputs: new Map([...batch.inputs].map(([name, x]) => [name, shift(x, pixels, rng)])) };
      }
    },
    select: (indices) => shiftImages(dataset.select(indices), pixels),
  };
}

/** Keeps the stream of shifts apart from that of the order. */
const SHIFT_STREAM = 0x5eed;

function shift(images: Tensor, pixels: number, rng: Rng): Tensor {
  const [count, channels, height, width] = images.dims;
  const source = viewAs(images, 'float32');
  const moved = new Float32Array(elementCount(images.dims));
  for (let n = 0; n < count; n++) {
    const [dy, dx] = [rng.integer(-pixels, pixels), rng.integer(-pixels, pixels)];
    for (let c = 0; c < channels; c++) {
      const plane = (n * channels + c) * height * width;
      for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
        const [from, to] = [plane + (y - dy) * width, plane + y * width];
        const start = Math.max(0, dx);
        moved.set(source.subarray(from + start - dx, from + Math.min(width, width + dx) - dx), to + start);
      }
    }
  }
  return tensorOf('float32', images.dims, moved);
}
