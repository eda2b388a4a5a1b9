import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { foreignStream, type StreamKind } from '../../lib/data/foreign-stream';

const KINDS: readonly StreamKind[] = ['raw picture', 'mjpeg', 'sound'];
const JPEG = jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256, 90) }).data;

/** Beginnings by what they are of, and what each may be taken for. */
const STARTS: readonly [what: RegExp, start: Uint8Array, takenFor: readonly StreamKind[]][] = [
  [/^a WAV file$/, Buffer.from('RIFF\x24\x08\0\0WAVEfmt ', 'latin1'), KINDS],
  [/^packed sound \(fLaC\)$/, Buffer.from('fLaC\0\0\0\x22'), KINDS],
  [/^packed sound \(OggS\)$/, Buffer.from('OggS\0\x02'), KINDS],
  [/^packed sound \(ID3\)$/, Buffer.from('ID3\x04'), KINDS],
  [/yuv4mpegpipe/, Buffer.from('YUV4MPEG2 W640 H480 F30:1'), KINDS],
  [/^an AVI/, Buffer.from('RIFF\0\0\0\0AVI LIST'), KINDS],
  [/^an AVI/, Buffer.from('\0\0\0\x20ftypisom'), KINDS],
  [/^an AVI/, Buffer.of(0x1a, 0x45, 0xdf, 0xa3, 0x01), KINDS],
  [/^a PNG picture$/, PNG.sync.write(new PNG({ width: 2, height: 2 })), KINDS],
  [/^H.264 video$/, Buffer.of(0, 0, 0, 1, 0x67, 0x64, 0, 0x28), ['raw picture', 'mjpeg']],
  [/^H.264 video$/, Buffer.of(0, 0, 0, 1, 0x27, 0x64, 0, 0x28), ['raw picture', 'mjpeg']],
  [/^JPEG pictures$/, JPEG, ['raw picture', 'sound']],
];

test.each(STARTS)('%s is told by its beginning', (what, start, takenFor) => {
  for (const kind of KINDS) {
    const found = foreignStream(start, kind);
    if (takenFor.includes(kind))
      expect(found).toMatchObject({ what: expect.stringMatching(what), advice: expect.stringMatching(/`.+`/) });
    else expect(found).toBeUndefined();
  }
});

test.each<[string, Uint8Array, StreamKind]>([
  ['pixels that begin like a JPEG', Buffer.alloc(300, Buffer.of(0xff, 0xd8, 0xff)), 'raw picture'],
  ['pixels that begin like a segment', Buffer.concat([JPEG.subarray(0, 6), Buffer.alloc(200, 7)]), 'raw picture'],
  ['black', Buffer.alloc(300), 'raw picture'],
  ['silence, then a click', Buffer.of(0, 0, 0, 1, 0x67, 0), 'sound'],
  ['RIFF of nothing known', Buffer.from('RIFF....NONE'), 'sound'],
  ['two bytes', Buffer.of(0xff, 0xd8), 'raw picture'],
  ['nothing', Buffer.alloc(0), 'mjpeg'],
])('%s speaks against nothing', (_, start, kind) => {
  expect(foreignStream(start, kind)).toBeUndefined();
});

test('random bytes are what they were meant to be', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(...KINDS), (start, kind) => {
      expect(foreignStream(start, kind)).toBeUndefined();
    }),
  );
});
