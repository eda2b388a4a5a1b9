/** A second, tiny encoder of protocol buffers: tests write files by field number, independent of the table under test. */
export type Part = Uint8Array;

/** Bytes of a varint; negative numbers as 64-bit two's complement. */
export function varint(value: number | bigint): Part {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}

export function concat(...parts: Part[]): Part {
  return new Uint8Array(Buffer.concat(parts));
}

/** Field with a number. */
export function int(id: number, value: number | bigint): Part {
  return concat(varint(id << 3), varint(value));
}

/** Field with a text, bytes, or a message of these parts. */
export function field(id: number, ...content: (string | Part)[]): Part {
  const bytes = concat(...content.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part)));
  return concat(varint((id << 3) | 2), varint(bytes.length), bytes);
}

/** Little-endian bytes of a typed array. */
export function raw(data: ArrayBufferView): Part {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

export const opset = (version: number, domain = '') => field(8, field(1, domain), int(2, version));
export const node = (op: string, inputs: string[], outputs: string[], ...more: Part[]) =>
  field(1, ...inputs.map((name) => field(1, name)), ...outputs.map((name) => field(2, name)), field(4, op), ...more);

/** Value with element type number `type` and numeric extents, as input (11), output (12) or value_info (13). */
export const value = (id: 11 | 12 | 13, name: string, type = 1, dims: (number | string)[] = [2]) => {
  const shape = dims.map((dim) => field(1, typeof dim === 'number' ? int(1, dim) : field(2, dim)));
  return field(id, field(1, name), field(2, field(1, int(1, type), field(2, ...shape))));
};

/** Model with these parts of a graph. */
export const model = (graph: Part[], options: { ir?: number; opset?: number; more?: Part[] } = {}) =>
  concat(
    int(1, options.ir ?? 8),
    field(7, ...graph, field(2, 'net')),
    opset(options.opset ?? 17),
    ...(options.more ?? []),
  );

/** Model of one initializer `w`, given as parts of a tensor, with y = Identity(w). */
export const tensorModel = (...tensor: Part[]) =>
  model([node('Identity', ['w'], ['y']), field(5, field(8, 'w'), ...tensor), field(12, field(1, 'y'))]);
