import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { Rng } from '../../lib/core/rng';
import { type FrameSplitter, type Piece, WindowSplitter } from '../../lib/data/frame-splitter';
import { JpegSplitter } from '../../lib/data/jpeg-splitter';

/** Everything that a splitter says of a stream that comes in chunks of these sizes, over and over. */
function split(splitter: FrameSplitter, stream: Uint8Array, sizes: readonly number[]) {
  const pieces: Piece[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length];
    // A reader may use the memory of a chunk again.
    const chunk = stream.slice(at, at + size);
    pieces.push(...splitter.push(chunk));
    chunk.fill(0);
    at += size;
  }
  return { pieces, restBytes: splitter.restBytes, foreignBytes: splitter.foreignBytes };
}
const bytesOf = ({ pieces }: { pieces: readonly Piece[] }) =>
  pieces.map((piece) => ('bytes' in piece ? [...piece.bytes] : piece.reason));
const chunkSizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });
const random = (seed: number, length: number) => {
  const rng = new Rng(seed);
  return Uint8Array.from({ length }, () => rng.integer(0, 255));
};

describe('windows', () => {
  test('of a stream in any chunks begin hop after hop, and what is left is told', () => {
    const sizes = fc
      .integer({ min: 1, max: 50 })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size })));
    fc.assert(
      fc.property(sizes, fc.nat(500), chunkSizes, fc.nat(), ([size, hop], length, chunks, seed) => {
        const stream = random(seed, length);
        const expected: { at: number; bytes: Uint8Array }[] = [];
        for (let at = 0; at + size <= length; at += hop) expected.push({ at, bytes: stream.slice(at, at + size) });
        const answered = expected.length === 0 ? 0 : expected.at(-1)!.at + size;
        expect(split(new WindowSplitter(size, hop), stream, chunks)).toEqual({
          pieces: expected,
          restBytes: length - answered,
          foreignBytes: 0,
        });
      }),
    );
  });
});

/** A seeded picture as a JPEG file. */
function picture(seed: number, width = 16, height = 8): Uint8Array {
  const data = Buffer.from(random(seed, 4 * width * height));
  return Uint8Array.from(jpeg.encode({ width, height, data }, 60).data);
}
const segment = (code: number, payload: Uint8Array): Uint8Array =>
  Uint8Array.of(0xff, code, (payload.length + 2) >> 8, (payload.length + 2) & 255, ...payload);
const join = (...parts: readonly (Uint8Array | readonly number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
/** A picture with another inside of an application segment, as cameras write thumbnails. */
const withThumbnail = (seed: number) => {
  const bytes = picture(seed);
  return join(bytes.subarray(0, 2), segment(0xe1, join([1, 2, 3], picture(seed + 100))), bytes.subarray(2));
};
const [A, B, C] = [picture(1), withThumbnail(2), picture(3, 24, 16)];
/** Behind the header of the scan. */
const scanOf = (bytes: Uint8Array) => {
  const at = Buffer.from(bytes).lastIndexOf(Buffer.of(0xff, 0xda));
  return at + 2 + 256 * bytes[at + 2] + bytes[at + 3];
};

describe('JPEG pictures', () => {
  const one = (stream: Uint8Array) => {
    const found = split(new JpegSplitter(), stream, [stream.length]);
    return { ...found, pieces: bytesOf(found) };
  };

  test('follow each other, with whatever lies between them', () => {
    const boundary = Buffer.from('\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n');
    const stream = join(boundary, A, boundary, B, [0, 0, 0, 0xff], C, [0xff, 0xd8]);
    expect(one(stream)).toEqual({
      pieces: [A, B, C].map((bytes) => [...bytes]),
      foreignBytes: 2 * boundary.length + 4,
      restBytes: 2,
    });
  });

  test('restarts, fill bytes and several scans belong to them', () => {
    const at = scanOf(A);
    const table = segment(0xc4, Uint8Array.of(0, ...Array(16).fill(0)));
    const scan = segment(0xda, Uint8Array.of(1, 1, 0, 0, 63, 0));
    const odd = join(
      [0xff, 0xd8, 0xff, 0xff, 0xff],
      A.subarray(3, at),
      [9, 0xff, 0xd0, 8, 0xff, 0, 7, 0xff, 0xd7, 6],
      [0xff],
      table,
      scan,
      [5, 0xff, 0, 0xff, 0xff, 0xd9],
    );
    expect(one(join(odd, B)).pieces).toEqual([[...odd], [...B]]);
  });

  test.each<[string, stream: Uint8Array, reason: RegExp]>([
    ['cut off in its scan', A.subarray(0, scanOf(A) + 20), /^the next picture begins at byte \d+$/],
    ['cut off before its scan, where a marker was due', A.subarray(0, 20), /^the next picture begins at byte 20$/],
    ['with a segment of length 1', join([0xff, 0xd8, 0xff, 0xdb, 0, 1], A.subarray(10)), /a length of 1$/],
    [
      'broken behind its thumbnail',
      join(B.subarray(0, 4 + 256 * B[4] + B[5]), segment(0xdb, Uint8Array.of(1, 2, 3)), [0x12, 0x34]),
      /where a marker was expected$/,
    ],
    ['with a reserved marker', Uint8Array.of(0xff, 0xd8, 0xff, 0x12, 0xff, 0xff), /^byte 2 is ff 12 where a marker/],
    ['with a segment of length 0', join([0xff, 0xd8, 0xff, 0xdb, 0, 0], A.subarray(10)), /a length of 0$/],
    ['with a wrong length', join(A.subarray(0, 5), [A[5] + 1], A.subarray(6)), /where a marker was expected$/],
    ['cut off within a segment', A.subarray(0, 60), /where a marker was expected$/],
  ])('one %s is broken, and the search goes on', (_, broken, reason) => {
    const { pieces } = one(join(broken, B, C));
    expect(pieces[0]).toEqual(expect.stringMatching(reason));
    expect(pieces.slice(1)).toEqual([[...B], [...C]]);
  });

  test('one without an end is broken at 64 MiB', () => {
    const splitter = new JpegSplitter();
    const chunk = new Uint8Array(2 ** 22);
    const pieces = [...splitter.push(A.subarray(0, scanOf(A)))];
    for (let count = 0; count < 16; count++) pieces.push(...splitter.push(chunk));
    expect(pieces).toHaveLength(1);
    pieces.push(...splitter.push(B));
    expect(pieces).toEqual([
      { at: 0, reason: 'it is larger than 67108864 bytes' },
      { at: scanOf(A) + 2 ** 26, bytes: B },
    ]);
  });

  const part = fc.oneof(
    fc.constantFrom(A, B, C),
    fc.tuple(fc.constantFrom(A, B, C), fc.nat(), fc.nat()).map(([bytes, from, count]) => {
      const start = from % bytes.length;
      return bytes.slice(start, start + (count % 300));
    }),
    fc
      .tuple(fc.constantFrom(A, B, C), fc.nat(), fc.constantFrom(0, 0xff, 0xd8, 0xd9, 0xda))
      .map(([bytes, at, byte]) => {
        const changed = bytes.slice();
        changed[at % bytes.length] = byte;
        return changed;
      }),
    fc.uint8Array({ maxLength: 8 }),
    fc.array(fc.constantFrom(0xff, 0xd8, 0xd9, 0, 0xda, 0xe0), { maxLength: 6 }).map((list) => Uint8Array.from(list)),
  );

  test('however the stream is damaged and comes in, the same pieces come out, each byte at most once', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), chunkSizes, (parts, sizes) => {
        const stream = join(...parts);
        const found = split(new JpegSplitter(), stream, sizes);
        expect(found).toEqual(split(new JpegSplitter(), stream, [stream.length || 1]));
        let end = 0;
        for (const piece of found.pieces) {
          expect(piece.at).toBeGreaterThanOrEqual(end);
          end = piece.at;
          if (!('bytes' in piece)) continue;
          end = piece.at + piece.bytes.length;
          expect(piece.bytes).toEqual(stream.slice(piece.at, end));
          expect([...piece.bytes.subarray(0, 2), ...piece.bytes.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
        }
        expect(end + found.restBytes).toBeLessThanOrEqual(stream.length);
      }),
    );
  });
});
