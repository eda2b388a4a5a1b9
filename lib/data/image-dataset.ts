import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { HoneError, readError } from '../core/error';
import type { PictureSize } from '../core/picture-fit';
import type { Picture } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import { createDataset } from './create-dataset';
import { decodeImage, IMAGE_ENDINGS } from './image';
import { openPictureInput, type PictureOptions, pictureTensor } from './picture-input';

interface ImageFile {
  readonly path: string;
  /** Class index; -1 in a folder without classes. */
  readonly label: number;
}

/**
 * Pictures of a folder: one folder per class (labels count the class folders in alphabetical order, or are the folders'
 * names where all of them are numbers), or pictures without classes. Decoded batch by batch.
 * @throws E_DATA_EMPTY, E_DATA_MISMATCH, E_DATA_FORMAT (also while reading batches); E_PREPROCESS for an input that takes no
 * plain bytes, when no preprocessing is given
 */
export async function openImageFolder(path: string, options: PictureOptions): Promise<Dataset> {
  const files = await listImages(path);
  if (files.length === 0) throw new HoneError('E_DATA_EMPTY', { path });
  return openImages(path, files, options);
}

/** One picture, without a class, as a dataset. @throws as `openImageFolder` does */
export function openImage(path: string, options: PictureOptions): Promise<Dataset> {
  return openImages(path, [{ path, label: -1 }], options);
}

async function openImages(path: string, files: readonly ImageFile[], options: PictureOptions): Promise<Dataset> {
  const input = await openPictureInput(path, options, () => loadImage(files[0].path));
  const pictures: PictureSize[] = [];
  return createDataset({
    name: path,
    count: files.length,
    inputs: new Map([[input.name, input.sample]]),
    labels: files[0].label < 0 ? undefined : Int32Array.from(files, (file) => file.label),
    read: async (indices) => {
      const { tensor, put } = pictureTensor(input, indices.length);
      for (const [row, index] of indices.entries()) {
        const picture = await loadImage(files[index].path);
        pictures[index] = { width: picture.width, height: picture.height };
        put(picture, row);
      }
      return new Map([[input.name, tensor]]);
    },
    pictureOf: (index) => pictures[index],
  });
}

async function loadImage(path: string): Promise<Picture> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  return decodeImage(bytes, path);
}

async function listImages(folder: string): Promise<ImageFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const classes = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const loose = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  if (classes.length === 0) return imagesAmong(loose).map((name) => ({ path: join(folder, name), label: -1 }));
  const numbered = classes.every((name) => /^\d{1,9}$/.test(name));
  const sorted = numbered ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort();
  const lists = await Promise.all(
    sorted.map(async (name, index) => {
      const images = imagesAmong(await readdir(join(folder, name)));
      const label = numbered ? Number(name) : index;
      return images.map((image) => ({ path: join(folder, name, image), label }));
    }),
  );
  return lists.flat();
}

/** Picture files among the names, sorted by code unit: the same order on every machine. */
function imagesAmong(names: readonly string[]): string[] {
  return names.filter((name) => (IMAGE_ENDINGS as readonly string[]).includes(extname(name).toLowerCase())).sort();
}
