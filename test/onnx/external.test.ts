import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toNumbers } from '../../lib/ir/tensor';
import { readModel, readModelFile } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { field, int, raw, tensorModel } from './proto';

let outside: string;
let folder: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'hone-external-'));
  folder = join(outside, 'model');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'w.bin'), raw(Float32Array.of(0, 1, 2, 3)));
  writeFileSync(join(folder, 'sub', 'w.bin'), raw(Float32Array.of(5, 6)));
  writeFileSync(join(outside, 'secret'), raw(Float32Array.of(7, 8)));
  symlinkSync(join(outside, 'secret'), join(folder, 'link'));
});
afterEach(() => rmSync(outside, { recursive: true }));

/** Path of a model with two external floats. */
function modelWith(entries: Record<string, string | undefined>): string {
  const path = join(folder, 'm.onnx');
  const external = Object.entries(entries)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => field(13, field(1, key), field(2, value!)));
  writeFileSync(path, tensorModel(int(1, 2), int(2, 1), int(14, 1), ...external));
  return path;
}

const GOOD: [Record<string, string>, number[]][] = [
  [{ location: 'w.bin' }, [0, 1]],
  [{ location: 'w.bin', offset: '4', length: '8' }, [1, 2]],
  [{ location: './w.bin', offset: '8' }, [2, 3]],
  [{ location: 'sub/w.bin', offset: '0', length: '8', checksum: 'ignored' }, [5, 6]],
];
test.each(GOOD)('reads %j', async (entries, expected) => {
  const graph = await readModelFile(modelWith(entries));
  expect(toNumbers(graph.initializers.get('w')!)).toEqual(expected);
  expect(toNumbers(readModel(writeModel(graph)).initializers.get('w')!)).toEqual(expected);
});

const BAD: [Record<string, string | undefined>, RegExp][] = [
  [{ location: 'missing.bin' }, /ENOENT|no such file/],
  [{ location: undefined }, /empty/],
  [{ location: '../secret' }, /leaves the folder/],
  [{ location: 'sub/../../secret' }, /leaves the folder/],
  [{ location: '/etc/hostname' }, /leaves the folder/],
  [{ location: 'link' }, /leaves the folder/],
  [{ location: 'sub' }, /not a file/],
  [{ location: '.' }, /leaves the folder/],
  [{ location: 'a\0b' }, /not a path/],
  [{ location: 'w.bin', offset: '12' }, /bytes 12 to 20 lie outside 'w.bin' \(16 bytes\)/],
  [{ location: 'w.bin', offset: '-4' }, /not a length in bytes/],
  [{ location: 'w.bin', offset: '99999999999999999999' }, /not a length in bytes/],
  [{ location: 'w.bin', length: '4' }, /expected 8 bytes for float32 \[2\], found 4/],
  [{ location: 'w.bin', length: '1e1' }, /not a length in bytes/],
];
test.each(BAD)('refuses %j', async (entries, message) => {
  const path = modelWith(entries);
  await expect(readModelFile(path)).rejects.toMatchObject({
    code: 'E_ONNX_EXTERNAL',
    message: expect.stringMatching(message),
  });
});

test('data loads on first use, once; a file that changed by then is an error', async () => {
  const path = modelWith({ location: 'w.bin' });
  const [kept, shortened, gone] = [await readModelFile(path), await readModelFile(path), await readModelFile(path)];
  const tensor = kept.initializers.get('w')!;
  expect(tensor.bytes).toBe(tensor.bytes);
  truncateSync(join(folder, 'w.bin'), 6);
  expect(() => shortened.initializers.get('w')!.bytes).toThrow(/ends 2 bytes too early/);
  unlinkSync(join(folder, 'w.bin'));
  expect(() => gone.initializers.get('w')!.bytes).toThrow(expect.objectContaining({ code: 'E_ONNX_EXTERNAL' }));
  expect(toNumbers(tensor)).toEqual([0, 1]);
});

test('a model file that is not there', async () => {
  await expect(readModelFile(join(folder, 'none.onnx'))).rejects.toMatchObject({ code: 'E_FILE_NOT_FOUND' });
});
