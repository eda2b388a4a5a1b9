import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
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
