import { type Fault, found, isObject } from './found';

/** Deepest nesting of lists and objects that is read: tensors have eight axes at most, and stand three levels deep. */
const DEEPEST = 32;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The object that UTF-8 bytes hold as JSON (RFC 8259). Refused, since readers differ on them: a byte order mark, bytes that are
 * no UTF-8, keys that an object has twice, nesting deeper than 32.
 * @throws `fault`
 */
export function parseJsonObject(bytes: Uint8Array, fault: Fault): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) throw fault('expected a JSON object, found no bytes');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw fault('the JSON begins with a byte order mark');
  const text = decode(bytes, fault);
  checkNesting(bytes, fault);
  const value = parse(text, fault);
  if (!isObject(value)) throw fault(`expected a JSON object, found ${found(value)}`);
  return value;
}

function decode(bytes: Uint8Array, fault: Fault): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault('the JSON is not UTF-8');
  }
}

function parse(text: string, fault: Fault): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault(`expected JSON: ${(error as Error).message.slice(0, 120)}`);
  }
}

/** Refuses deep nesting and repeated keys, in one pass over the bytes; every other fault is left to the parser. */
function checkNesting(bytes: Uint8Array, fault: Fault): void {
  /** Keys so far per open object, undefined per open list. */
  const open: (Set<string> | undefined)[] = [];
  let keys: Set<string> | undefined;
  let isKey = false;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE: {
        const end = endOfString(bytes, at + 1);
        if (isKey && keys !== undefined) addKey(keys, bytes.subarray(at, end + 1), fault);
        isKey = false;
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (open.length === DEEPEST) throw fault(`the JSON is nested deeper than ${DEEPEST} levels`);
        isKey = bytes[at] === OPEN_OBJECT;
        keys = isKey ? new Set() : undefined;
        open.push(keys);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        keys = open.at(-1);
        break;
      case COMMA:
        isKey = keys !== undefined;
        break;
    }
  }
}

/** Where the quote is that ends a string whose first character is at `at`. */
function endOfString(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  return end;
}

function addKey(keys: Set<string>, quoted: Uint8Array, fault: Fault): void {
  // Escapes may spell one key in several ways.
  const key = parse(decode(quoted, fault), fault) as string;
  if (keys.has(key)) throw fault(`the key ${found(key)} is there twice in one object`);
  keys.add(key);
}
