import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Picture, type PreprocessSpec, preprocess } from '../../lib/core/preprocess';
import type { Rng } from '../../lib/core/rng';
import { decodeImage } from '../../lib/data/image';

/** Part of a picture. */
export function crop(picture: Picture, left: number, top: number, width: number, height: number): Picture {
  const rgb = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((top + row) * picture.width + left);
    rgb.set(picture.rgb.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { width, height, rgb };
}

/** The picture upside down, as a page lies that was put in the wrong way round. */
export function turned(picture: Picture): Picture {
  const { width, height, rgb } = picture;
  const pixels = width * height;
  const out = new Uint8Array(rgb.length);
  for (let i = 0; i < pixels; i++) out.set(rgb.subarray(3 * i, 3 * i + 3), 3 * (pixels - 1 - i));
  return { width, height, rgb: out };
}

/**
 * Pictures of folders by the place of their names, even or odd: two of one scene, `left` and `right`, count as one. `page.png`, the only
 * text, gives its upper half to the even ones and its lower half to the others.
 */
export function pictures(folders: readonly string[], remainder: 0 | 1): ReadonlyMap<string, Picture> {
  const paths = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => /\.(png|jpg)$/.test(file))
      .sort()
      .map((file) => join(folder, file)),
  );
  const scenes = [...new Set(paths.filter((path) => !path.endsWith('page.png')).map(sceneOf))];
  const found = new Map<string, Picture>();
  for (const path of paths) {
    const picture = () => decodeImage(readFileSync(path), path);
    if (path.endsWith('page.png')) found.set(path, half(picture(), remainder));
    else if (scenes.indexOf(sceneOf(path)) % 2 === remainder) found.set(path, picture());
  }
  return found;
}

function sceneOf(path: string): string {
  return path.replace(/_(left|right)\.png$/, '');
}

function half(picture: Picture, remainder: 0 | 1): Picture {
  const height = picture.height >> 1;
  return crop(picture, 0, remainder * height, picture.width, height);
}

/** A view of random place and size (at least `least` of the shorter side) with the proportions of the input. */
export function view(picture: Picture, { size: [height, width] }: PreprocessSpec, least: number, rng: Rng): Picture {
  const largest = Math.min(picture.height / height, picture.width / width);
  const scale = largest * (least + (1 - least) * rng.uniform());
  const [h, w] = [Math.max(1, Math.floor(height * scale)), Math.max(1, Math.floor(width * scale))];
  const place = (room: number) => Math.floor(rng.uniform() * (room + 1));
  return crop(picture, place(picture.width - w), place(picture.height - h), w, h);
}

/** Elements of several views one after another. */
export function stack(views: readonly Picture[], spec: PreprocessSpec): Float32Array {
  const parts = views.map((picture) => preprocess(picture, spec));
  const all = new Float32Array(parts.length * parts[0].length);
  for (const [i, part] of parts.entries()) all.set(part, i * part.length);
  return all;
}
