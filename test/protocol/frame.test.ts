import fc from 'fast-check';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../lib/protocol/frame';

const LIMITS = { jsonBytes: 1000, payloadBytes: 1000 };

/** Frames in a stream of bytes that comes in chunks of these sizes. */
function framesIn(bytes: Uint8Array, chunks: readonly number[]): WireFrame[] {
  const frames: WireFrame[] = [];
  const reader = new WireFrameReader(LIMITS, (frame) => frames.push(frame));
  let position = 0;
  for (const size of [...chunks, bytes.length]) {
    reader.push(bytes.subarray(position, position + size));
    position += size;
  }
  return frames;
}

test('frames come out as they went in, however the stream is cut', () => {
  const frame = fc.record({
    kind: fc.integer({ min: 1, max: 255 }),
    id: fc.nat(0xffffffff),
    json: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }).filter((value) => value !== null),
    payload: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(30), { maxLength: 30 }), (frames, chunks) => {
      const bytes = Buffer.concat(
        frames.flatMap(({ kind, id, json, payload }) => writeWireFrame(kind, id, json, payload)),
      );
      expect(framesIn(bytes, chunks)).toEqual(
        frames.map(({ kind, id, json, payload }) => ({
          kind,
          id,
          json: json === undefined ? null : JSON.parse(JSON.stringify(json)),
          payload: Uint8Array.from(Buffer.concat(payload)),
        })),
      );
    }),
  );
});

const frame = (change: (bytes: Buffer) => void) => {
  const bytes = Buffer.concat(writeWireFrame(1, 7, { a: 1 }, [Uint8Array.of(1, 2)]));
  change(bytes);
  return bytes;
};

test.each([
  ['kind 0', frame((bytes) => bytes.writeUInt8(0, 12)), 'head'],
  ['a padding byte', frame((bytes) => bytes.writeUInt8(1, 14)), 'head'],
  ['too much JSON', frame((bytes) => bytes.writeUInt32LE(1001, 4)), '1001 bytes of JSON'],
  ['too large a payload', frame((bytes) => bytes.writeUInt32LE(0xffffffff, 0)), 'payload of 4294967295'],
  ['JSON that is none', frame((bytes) => bytes.writeUInt8(1, 16)), 'JSON'],
  ['JSON that is no UTF-8', frame((bytes) => bytes.writeUInt8(0xff, 18)), 'JSON'],
])('%s is refused', (_, bytes, text) => {
  expect(() => framesIn(bytes, [])).toThrow(
    expect.objectContaining({ code: 'E_FRAME_FORMAT', message: expect.stringContaining(text) }),
  );
});

test('memory for payloads may be given, of the right size', () => {
  const memory = new Uint8Array(2);
  const bytes = Buffer.concat(writeWireFrame(1, 1, undefined, [Uint8Array.of(5, 6)]));
  new WireFrameReader(
    LIMITS,
    ({ payload }) => expect(payload).toBe(memory),
    () => memory,
  ).push(bytes);
  expect([...memory]).toEqual([5, 6]);
  expect(() =>
    new WireFrameReader(
      LIMITS,
      () => {},
      () => new Uint8Array(3),
    ).push(bytes),
  ).toThrow(expect.objectContaining({ code: 'E_FRAME_FORMAT' }));
});
