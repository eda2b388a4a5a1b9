/** The tables of ITU-T T.81 K.3 to K.6: class and number, codes by their length from 1 to 16, what they mean. */
const TYPICAL: readonly (readonly [id: number, lengths: string, values: string])[] = [
  [0x00, '00010501010101010100000000000000', '000102030405060708090a0b'],
  [0x01, '00030101010101010101010000000000', '000102030405060708090a0b'],
  [
    0x10,
    '0002010303020403050504040000017d',
    '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a' +
      '3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a929394' +
      '95969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8' +
      'e9eaf1f2f3f4f5f6f7f8f9fa',
  ],
  [
    0x11,
    '00020102040403040705040400010277',
    '000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728' +
      '292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92' +
      '939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7' +
      'e8e9eaf2f3f4f5f6f7f8f9fa',
  ],
];

/**
 * A JPEG picture with Huffman tables: where it brings none, those that T.81 prints as examples. Many cameras leave them out
 * of each picture of a video, as AVI files and RFC 2435 do.
 */
export function withHuffmanTables(jpeg: Uint8Array): Uint8Array {
  let at = 2;
  // Segments: marker, length of the rest. They end where the scan begins.
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda) {
    if (jpeg[at + 1] === 0xc4 || jpeg[at + 1] === 0xcc) return jpeg;
    at += 2 + 256 * jpeg[at + 2] + jpeg[at + 3];
  }
  if (jpeg[at] !== 0xff || jpeg[at + 1] !== 0xda) return jpeg;
  const tables = TYPICAL.flatMap(([id, ...texts]) => [id, ...Buffer.from(texts.join(''), 'hex')]);
  const length = tables.length + 2;
  const segment = [0xff, 0xc4, length >> 8, length & 255, ...tables];
  const whole = new Uint8Array(jpeg.length + segment.length);
  whole.set(jpeg.subarray(0, at));
  whole.set(segment, at);
  whole.set(jpeg.subarray(at), at + segment.length);
  return whole;
}
