import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { Rng } from '../../lib/core/rng';
import { decodeImage } from '../../lib/data/image';

/** A small picture whose header says that it is of another size. */
const CLAIMED: Readonly<Record<string, (width: number, height: number) => Buffer>> = {
  PNG(width, height) {
    const bytes = PNG.sync.write(new PNG({ width: 8, height: 8 }));
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return bytes;
  },
  JPEG(width, height) {
    const bytes = jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(8 * 8 * 4) }).data;
    const frame = bytes.indexOf(Buffer.of(0xff, 0xc0));
    bytes.writeUInt16BE(height, frame + 5);
    bytes.writeUInt16BE(width, frame + 7);
    return bytes;
  },
};

describe.each(Object.entries(CLAIMED))('%s', (_, claimed) => {
  test('of its own size is read', () => {
    expect(decodeImage(claimed(8, 8), 'a')).toMatchObject({ width: 8, height: 8 });
  });

  test.each([
    [10001, 10000],
    [65535, 65535],
  ])('of %d x %d pixels is refused by its size, before memory is taken', (width, height) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodeImage(claimed(width, height), 'a')).toThrow(
      expect.objectContaining({ code: 'E_DATA_FORMAT', message: expect.stringContaining('more than 100 megapixels') }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e7);
  });
});

test('a PNG of 100 megapixels is not refused by its size', () => {
  const header = CLAIMED.PNG(10000, 10000).subarray(0, 33);
  expect(() => decodeImage(header, 'a')).toThrow(
    expect.objectContaining({ code: 'E_DATA_FORMAT', message: expect.not.stringMatching(/megapixel/) }),
  );
});

/** A JPEG picture without its segments of this marker. */
function without(bytes: Buffer, marker: number): Buffer {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  for (; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2))
    if (bytes[at + 1] !== marker) parts.push(bytes.subarray(at, at + 2 + bytes.readUInt16BE(at + 2)));
  return Buffer.concat([...parts, bytes.subarray(at)]);
}

test('a JPEG without Huffman tables, as cameras send them, has those of the standard', () => {
  const rng = new Rng(4);
  const data = Buffer.from(Array.from({ length: 4 * 48 * 32 }, () => rng.integer(0, 255)));
  const bytes = jpeg.encode({ width: 48, height: 32, data }, 70).data;
  const bare = without(bytes, 0xc4);
  expect(bytes.length - bare.length).toBeGreaterThan(400);
  expect(decodeImage(bare, 'a')).toEqual(decodeImage(bytes, 'a'));
});

test('a JPEG without quantization tables is refused', () => {
  const bytes = jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256, 90) }).data;
  expect(() => decodeImage(without(bytes, 0xdb), 'a')).toThrow(expect.objectContaining({ code: 'E_DATA_FORMAT' }));
});
