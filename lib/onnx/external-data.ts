import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { HoneError } from '../core/error';
import { byteLength, type ElementType } from '../ir/element-type';
import { elementCount, type Tensor } from '../ir/tensor';

/** Data files beside a model. Both methods throw Error with a reason. */
export interface ExternalData {
  /** Length of a file in bytes. */
  size(location: string): number;
  read(location: string, offset: number, length: number): Uint8Array;
}

/** Data files of a model that lies in `folder`. Paths that leave the folder, also through links, are refused. */
export function externalDataIn(folder: string): ExternalData {
  const files = new Map<string, string>();
  const locate = (location: string): string => {
    const known = files.get(location);
    if (known !== undefined) return known;
    if (location === '' || location.includes('\0')) throw new Error('the location is empty or not a path');
    const wanted = resolve(folder, location);
    if (isAbsolute(location) || leaves(resolve(folder), wanted))
      throw new Error(`'${location}' leaves the folder of the model`);
    const path = realpathSync(wanted);
    if (leaves(realpathSync(folder), path)) throw new Error(`'${location}' leaves the folder of the model`);
    if (!statSync(path).isFile()) throw new Error(`'${location}' is not a file`);
    files.set(location, path);
    return path;
  };
  return {
    size: (location) => statSync(locate(location)).size,
    read: (location, offset, length) => readRange(locate(location), offset, length),
  };
}

function leaves(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
}

function readRange(path: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(path, 'r');
  try {
    let done = 0;
    while (done < length) {
      // One call reads at most 2 GB.
      const count = readSync(file, bytes, done, Math.min(length - done, 1 << 30), offset + done);
      if (count === 0) throw new Error(`the file ends ${length - done} bytes too early`);
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

/**
 * Tensor whose bytes lie in another file: checked against the file's length now, read on the first access of `bytes`.
 * @throws E_ONNX_EXTERNAL also on that access, when the file is gone or shorter by then
 */
export function externalTensor(
  name: string,
  type: ElementType,
  dims: readonly number[],
  entries: ReadonlyMap<string, string>,
  source: ExternalData | undefined,
): Tensor {
  const fail = (reason: string) => new HoneError('E_ONNX_EXTERNAL', { tensor: name, reason });
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fail(error instanceof Error ? error.message : String(error));
    }
  };
  const number = (key: string, fallback: number): number => {
    const text = entries.get(key);
    const value = text === undefined || text === '' ? fallback : /^\d+$/.test(text) ? Number(text) : -1;
    if (!Number.isSafeInteger(value) || value < 0) throw fail(`${key} '${text}' is not a length in bytes`);
    return value;
  };

  if (source === undefined) throw fail('the model was given without its folder');
  const location = entries.get('location') ?? '';
  const expected = byteLength(type, elementCount(dims));
  const offset = number('offset', 0);
  const length = number('length', expected);
  if (length !== expected) throw fail(`expected ${expected} bytes for ${type} [${dims.join(', ')}], found ${length}`);
  const size = attempt(() => source.size(location));
  if (offset + length > size)
    throw fail(`bytes ${offset} to ${offset + length} lie outside '${location}' (${size} bytes)`);

  let bytes: Uint8Array | undefined;
  return {
    type,
    dims,
    get bytes() {
      bytes ??= attempt(() => source.read(location, offset, length));
      return bytes;
    },
  };
}
