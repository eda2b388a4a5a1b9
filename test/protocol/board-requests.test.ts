import { BOARD_LIMITS } from '../../lib/protocol/board-frames';
import {
  readBlobsRequest,
  readCommitRequest,
  readCredit,
  readLogsRequest,
  readPlacement,
  readPutRequest,
  requireNothing,
} from '../../lib/protocol/board-requests';
import { makeBoardStream, runBoardStream } from './board-case';

const sha256 = 'ab'.repeat(32);

test('requests that are as they should be are read', () => {
  expect(readBlobsRequest({ sha256: [sha256] })).toEqual([sha256]);
  expect(readPutRequest({ sha256, offset: 3, size: 10 }, 7)).toEqual({ sha256, offset: 3, size: 10 });
  expect(readPutRequest({ sha256, offset: 0, size: 0 }, 0)).toEqual({ sha256, offset: 0, size: 0 });
  expect(readCommitRequest({ sha256 })).toBe(sha256);
  expect(readLogsRequest({ bytes: 5 })).toBe(5);
  expect(readCredit({ bytes: 1 })).toBe(1);
  expect(() => requireNothing(null)).not.toThrow();
});

const many = Array.from({ length: BOARD_LIMITS.digests + 1 }, () => sha256);
const digests = [
  '',
  'AB'.repeat(32),
  `${sha256}0`,
  `../${sha256}`,
  `${sha256.slice(1)}/`,
  `${sha256.slice(1)}\n`,
  7,
  null,
];
test.each<[what: string, read: () => unknown]>([
  ...digests.map((found): [string, () => unknown] => [`digest ${found}`, () => readCommitRequest({ sha256: found })]),
  ['no object', () => readCommitRequest([sha256])],
  ['another key', () => readCommitRequest({ sha256, path: '/etc' })],
  ['a list with a path', () => readBlobsRequest({ sha256: ['../x'] })],
  ['no list', () => readBlobsRequest({ sha256 })],
  ['too many digests', () => readBlobsRequest({ sha256: many })],
  ['bytes beyond the size', () => readPutRequest({ sha256, offset: 4, size: 10 }, 7)],
  ['a negative offset', () => readPutRequest({ sha256, offset: -1, size: 10 }, 1)],
  ['half a byte', () => readPutRequest({ sha256, offset: 0.5, size: 10 }, 1)],
  ['an offset as text', () => readPutRequest({ sha256, offset: '0', size: 10 }, 1)],
  ['too large a blob', () => readPutRequest({ sha256, offset: 0, size: BOARD_LIMITS.blobBytes + 1 }, 1)],
  ['no size', () => readPutRequest({ sha256, offset: 0 }, 1)],
  ['too much of a log', () => readLogsRequest({ bytes: BOARD_LIMITS.logBytes + 1 })],
  ['nothing of a log', () => readLogsRequest({ bytes: 0 })],
  ['no credit', () => readCredit({ bytes: 0 })],
  ['too much credit', () => readCredit({ bytes: BOARD_LIMITS.tunnelBytes + 1 })],
  ['a placement without a name', () => readPlacement({ version: '1', sha256 })],
  ['a placement that names a path', () => readPlacement({ name: 'a', version: '1', sha256, plan: 'x' })],
  ['a placement of a path', () => readPlacement({ name: 'a', version: '1', sha256: '../../x' })],
  ['JSON where none is', () => requireNothing({ a: 1 })],
])('%s is refused', (_, read) => {
  expect(read).toThrow(expect.objectContaining({ code: 'E_FRAME_FORMAT' }));
});

test('changed frames are taken or refused in words, and both happen', () => {
  const outcomes = new Set(Array.from({ length: 300 }, (_, index) => runBoardStream(makeBoardStream(1, index))));
  expect([...outcomes].sort()).toEqual(expect.arrayContaining(['board E_FRAME_FORMAT', 'board frames taken']));
});
