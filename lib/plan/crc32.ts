const TABLES = makeTables();

/** IEEE CRC-32 of `bytes` (polynomial 0xEDB88320, as in zip); give the earlier result to go on with more bytes. */
export function crc32(bytes: Uint8Array, earlier = 0): number {
  const [t0, t1, t2, t3] = TABLES;
  let crc = ~earlier;
  let i = 0;
  for (const end = bytes.length - 3; i < end; i += 4) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc = t3[crc & 255] ^ t2[(crc >>> 8) & 255] ^ t1[(crc >>> 16) & 255] ^ t0[crc >>> 24];
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Slicing by four: table k moves a byte k further places along. */
function makeTables(): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  const tables = [first];
  for (let k = 1; k < 4; k++) tables.push(tables[k - 1].map((crc) => first[crc & 255] ^ (crc >>> 8)));
  return tables;
}
