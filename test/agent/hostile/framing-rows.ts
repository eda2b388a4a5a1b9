import { INFER, jsonRequest } from '../served';
import { HOST, type Row } from './rows';

const BODY = jsonRequest();
const HEAD = `POST ${INFER} HTTP/1.1\r\n${HOST}`;
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const SIZE = BODY.length.toString(16);
const length = (text: string) => `${HEAD}Content-Length: ${text}\r\n\r\n${BODY}`;
const coding = (text: string) => `${HEAD}Transfer-Encoding: ${text}\r\n\r\n${SIZE}\r\n${BODY}\r\n0\r\n\r\n`;
const chunk = (text: string) => `${CHUNKED}${text}0\r\n\r\n`;

/** What two readers could frame in two ways is refused, and nothing behind it is read (RFC 9112, 6.3 and 11.2). */
const AMBIGUOUS: readonly [string, string][] = [
  ['length and chunks', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HEAD}\r\n`],
  ['chunks and length', `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
  ['two lengths', `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`],
  ['one length twice', `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
  ['a list of lengths', length('2, 2')],
  ['a length with a sign', length('+2')],
  ['a negative length', length('-2')],
  ['a hexadecimal length', length('0x2')],
  ['no length', length('')],
  ['a length with a space inside', length('2 2')],
  ['a length beyond 64 bits', length('18446744073709551618')],
  ['a length with an exponent', length('1e2')],
  ['a length with a fraction', length('2.0')],
  ['the coding identity', coding('identity')],
  ['chunked twice', coding('chunked, chunked')],
  ['chunked in two fields', coding('chunked\r\nTransfer-Encoding: chunked')],
  ['chunked before another coding', coding('chunked, gzip')],
  ['a coding that ends as chunked does', coding('xchunked')],
  ['a coding behind a vertical tab', coding('\x0bchunked')],
  ['a coding with a parameter', coding('chunked;a=b')],
  ['a space before the colon', `${HEAD}Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}`],
  ['a coding in HTTP/1.0', `POST ${INFER} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a folded coding', coding('\r\n chunked')],
  ['a folded length', length('\r\n 2')],
];

/** Chunks that are none (RFC 9112, 7.1). */
const BROKEN: readonly [string, string][] = [
  ['a size with a prefix', chunk(`0x${SIZE}\r\n${BODY}\r\n`)],
  ['a negative size', chunk(`-${SIZE}\r\n${BODY}\r\n`)],
  ['a size behind a space', chunk(` ${SIZE}\r\n${BODY}\r\n`)],
  ['a size before a space', chunk(`${SIZE} \r\n${BODY}\r\n`)],
  ['a size beyond 64 bits', chunk(`fffffffffffffffff\r\n${BODY}\r\n`)],
  ['an empty size', chunk(`\r\n${BODY}\r\n`)],
  ['a size that is too small', chunk(`1\r\n${BODY}\r\n`)],
  ['a line feed alone behind the size', chunk(`${SIZE}\n${BODY}\r\n`)],
  ['a line feed alone behind the data', chunk(`${SIZE}\r\n${BODY}\n`)],
  ['a carriage return alone behind the size', chunk(`${SIZE}\r${BODY}\r\n`)],
  ['an extension of 20 kB', chunk(`${SIZE};a=${'b'.repeat(20_000)}\r\n${BODY}\r\n`)],
  ['an extension with a line feed', chunk(`${SIZE};a=\nb\r\n${BODY}\r\n`)],
  ['a trailer that is a length', `${CHUNKED}${SIZE}\r\n${BODY}\r\n0\r\nContent-Length: 9\r\n\r\n`],
  ['a trailer without a colon', `${CHUNKED}${SIZE}\r\n${BODY}\r\n0\r\nabc\r\n\r\n`],
];

/** Odd, but one way to read them alone. */
const RIGHT: readonly [string, string][] = [
  ['chunked in capitals', coding('CHUNKED')],
  ['spaces around a length', length(` ${BODY.length} `)],
  ['a length with leading zeros', length(`000${BODY.length}`)],
  ['a size in capitals with leading zeros', chunk(`000${SIZE.toUpperCase()}\r\n${BODY}\r\n`)],
  ['an extension', chunk(`${SIZE};a=b\r\n${BODY}\r\n`)],
  ['an extension in quotes', chunk(`${SIZE};a="b;c"\r\n${BODY}\r\n`)],
  ['one byte per chunk', chunk([...BODY].map((byte) => `1\r\n${byte}\r\n`).join(''))],
  ['a trailer', `${CHUNKED}${SIZE}\r\n${BODY}\r\n0\r\nX: y\r\n\r\n`],
  ['an empty line before the request', `\r\n${length(String(BODY.length))}`],
];

/** Ends of lines and fields (RFC 9112, 2.2 and 5). */
const LINES: readonly [string, string][] = [
  ['line feeds alone', `GET /v2 HTTP/1.1\nHost: localhost\n\n`],
  ['a line feed alone behind a field', `GET /v2 HTTP/1.1\r\nA: b\nHost: localhost\r\n\r\n`],
  ['a carriage return in a field', `GET /v2 HTTP/1.1\r\nA: b\rX: y\r\n${HOST}\r\n`],
  ['a folded field', `GET /v2 HTTP/1.1\r\nA: b\r\n c\r\n${HOST}\r\n`],
  ['a space before the first field', `GET /v2 HTTP/1.1\r\n A: b\r\n${HOST}\r\n`],
  ['a field without a name', `GET /v2 HTTP/1.1\r\n: b\r\n${HOST}\r\n`],
  ['a field without a colon', `GET /v2 HTTP/1.1\r\nabc\r\n${HOST}\r\n`],
  ['a name that is no token', `GET /v2 HTTP/1.1\r\nA(b): c\r\n${HOST}\r\n`],
  ['a name with a byte above 127', `GET /v2 HTTP/1.1\r\nA\xe9: b\r\n${HOST}\r\n`],
  ['a zero byte in a field', `GET /v2 HTTP/1.1\r\nA: \0\r\n${HOST}\r\n`],
  ['a hello of TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
  ['bytes of no meaning', `${'\xff\xfe'.repeat(50)}\r\n\r\n`],
];

const refused = (rows: readonly [string, string][]): Row[] =>
  rows.map(([name, bytes]) => ({ name, bytes, status: 400, code: 'E_REQUEST_HTTP', after: 'closed' }));

/** Bodies framed in ways that could be read as two, broken chunks and lines, and odd ones that are right. */
export const FRAMING_ROWS: readonly Row[] = [
  ...refused(AMBIGUOUS),
  ...refused(BROKEN),
  ...refused(LINES),
  ...RIGHT.map(([name, bytes]): Row => ({ name, bytes, status: 200, after: 'open' })),
  {
    name: 'a coding that is not known',
    bytes: coding('gzip, chunked'),
    status: 501,
    code: 'E_REQUEST_TRANSFER',
    after: 'closed',
  },
  {
    name: 'trailers of 20 kB',
    bytes: `${CHUNKED}0\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    status: 431,
    code: 'E_REQUEST_HEAD',
    after: 'closed',
  },
];
