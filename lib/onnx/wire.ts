import { Reader, Writer } from 'protobufjs/minimal';
import { type Draft, MESSAGES, type Message, type MessageField, type MessageName } from './message-schema';

/** Nesting that is believed: graphs in attributes in nodes in graphs. Real files stay far below it. */
const MAX_DEPTH = 100;
/** Byte blobs from this length on are referenced while encoding, not copied at every level. */
const LARGE = 4096;

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const EMPTY: readonly unknown[] = Object.freeze([]);

interface NamedField extends MessageField {
  readonly key: string;
}

const FIELDS = new Map<string, ReadonlyMap<number, NamedField>>();
const BLANKS = new Map<string, Record<string, unknown>>();
for (const [message, fields] of Object.entries(MESSAGES) as [string, Record<string, MessageField>][]) {
  FIELDS.set(message, new Map(Object.entries(fields).map(([key, field]) => [field.id, { ...field, key }])));
  BLANKS.set(
    message,
    Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.many ? EMPTY : undefined])),
  );
}

/**
 * A message from its bytes. Byte fields view `bytes`. Memory stays in proportion to the input, whatever it holds.
 * @throws Error with a reason when the bytes do not hold such a message
 */
export function decodeMessage<K extends MessageName>(name: K, bytes: Uint8Array): Message<K> {
  return decode(name, bytes, 0) as Message<K>;
}

function decode(name: string, bytes: Uint8Array, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new Error(`messages are nested deeper than ${MAX_DEPTH} levels`);
  const fields = FIELDS.get(name)!;
  const message: Record<string, unknown> = { ...BLANKS.get(name) };
  const reader = new Reader(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = fields.get(tag >>> 3);
    if (field === undefined) {
      if (tag >>> 3 === 0) throw new Error(`bad field number at byte ${reader.pos} of ${name}`);
      reader.skipType(tag & 7);
      continue;
    }
    if (!field.many) {
      message[field.key] = decodeValue(reader, field, tag & 7, name, depth);
      continue;
    }
    let list = message[field.key] as unknown[];
    if (list === EMPTY) {
      list = [];
      message[field.key] = list;
    }
    if ((tag & 7) === WIRE.bytes && (field.type === 'int' || field.type === 'float')) {
      const packed = new Reader(reader.bytes());
      while (packed.pos < packed.len) list.push(field.type === 'int' ? safeInt(packed) : packed.float());
    } else list.push(decodeValue(reader, field, tag & 7, name, depth));
  }
  return message;
}

function decodeValue(reader: Reader, field: NamedField, wire: number, parent: string, depth: number): unknown {
  const expect = (type: number) => {
    if (wire !== type) throw new Error(`field ${field.key} of ${parent} has wire type ${wire}`);
  };
  switch (field.type) {
    case 'int':
      expect(WIRE.varint);
      return safeInt(reader);
    case 'float':
      expect(WIRE.fixed32);
      return reader.float();
    // Packed numbers come as one block, unpacked ones element by element.
    case 'fixed32s':
      if (wire === WIRE.fixed32) return take(reader, 4);
      break;
    case 'fixed64s':
      if (wire === WIRE.fixed64) return take(reader, 8);
      break;
    case 'varints':
      if (wire === WIRE.varint) return take(reader);
      break;
  }
  expect(WIRE.bytes);
  const bytes = reader.bytes();
  if (field.type === 'string') return decodeText(bytes);
  return field.type in MESSAGES ? decode(field.type, bytes, depth + 1) : bytes;
}

/** View of the next `length` bytes, or of the next varint. */
function take(reader: Reader, length?: number): Uint8Array {
  const start = reader.pos;
  reader.skip(length);
  return reader.buf.subarray(start, reader.pos);
}

/** Next varint as a signed 64-bit number, saturated to the safe integers. */
function safeInt(reader: Reader): number {
  const { low, high } = reader.int64();
  const value = high * 4294967296 + (low >>> 0);
  return Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Text of UTF-8 bytes.
 * @throws Error when they are not UTF-8
 */
export function decodeText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  // The quick decoder puts U+FFFD for broken bytes; only then it pays to ask the strict one.
  if (!text.includes('\uFFFD')) return text;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new Error('text is not UTF-8');
  }
}

/** All varints of the chunks as 64-bit numbers, two's complement. */
export function decodeVarints(chunks: readonly Uint8Array[]): BigInt64Array {
  let count = 0;
  for (const chunk of chunks) for (const byte of chunk) if (byte < 128) count++;
  const values = new BigInt64Array(count);
  const words = new Int32Array(values.buffer);
  let index = 0;
  for (const chunk of chunks) {
    const reader = new Reader(chunk);
    while (reader.pos < reader.len) {
      const { low, high } = reader.int64();
      words[index++] = low;
      words[index++] = high;
    }
  }
  return values;
}

/** The encoded message as consecutive parts; large byte fields are shared with the message. */
export function encodeMessage<K extends MessageName>(name: K, message: Draft<K>): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let writer = new Writer();
  const append = (bytes: Uint8Array) => {
    if (bytes.length < LARGE) return void writer.raw(bytes);
    if (writer.len > 0) parts.push(writer.finish());
    writer = new Writer();
    parts.push(bytes);
  };
  for (const [key, field] of Object.entries(MESSAGES[name]) as [string, MessageField][]) {
    const value = (message as Record<string, unknown>)[key];
    if (value === undefined) continue;
    for (const item of field.many ? (value as unknown[]) : [value]) encodeValue(writer, field, item, append);
    // `append` may have replaced the writer; nothing else refers to it.
  }
  if (writer.len > 0) parts.push(writer.finish());
  return parts;
}

function encodeValue(writer: Writer, field: MessageField, value: unknown, append: (bytes: Uint8Array) => void): void {
  const tag = (wire: number) => writer.uint32(((field.id << 3) | wire) >>> 0);
  switch (field.type) {
    case 'int':
      return void tag(WIRE.varint).int64(value as number);
    case 'float':
      return void tag(WIRE.fixed32).float(value as number);
    case 'string':
      return void tag(WIRE.bytes).string(value as string);
  }
  const parts =
    field.type === 'bytes'
      ? [value as Uint8Array]
      : encodeMessage(field.type as MessageName, value as Draft<MessageName>);
  tag(WIRE.bytes).uint32(parts.reduce((sum, part) => sum + part.length, 0));
  for (const part of parts) append(part);
}
