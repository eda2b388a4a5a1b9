import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerError, asHoneError, HoneError } from '../../lib/core/error';

/** What `action` throws, as a command prints it. */
function thrownBy(action: () => unknown): HoneError {
  try {
    action();
  } catch (error) {
    return asHoneError(error);
  }
  throw new Error('it threw nothing');
}

/** An error as Node makes it for a failed system call. */
const failed = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: ${syscall}`), { code, syscall, path });

test('errors of the file system have codes of their own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hone-error-'));
  const none = join(folder, 'none');
  try {
    expect(thrownBy(() => readFileSync(none))).toMatchObject({ code: 'E_FILE_NOT_FOUND', details: { path: none } });
    expect(thrownBy(() => readFileSync(folder)).code).toBe('E_FILE_FOLDER');
    expect(thrownBy(() => openSync(join(none, 'x'), 'w')).code).toBe('E_FILE_NOT_FOUND');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [failed('EACCES', 'open', '/a'), 'E_FILE_ACCESS', /no permission to read \/a/],
  [failed('ENOTDIR', 'scandir', '/a'), 'E_FILE_NOT_FOUND', /\/a/],
  [failed('EISDIR', 'read'), 'E_FILE_FOLDER', /a file \(read\)/],
  [failed('ENOSPC', 'write'), 'E_FILE_WRITE', /ENOSPC/],
  [failed('EROFS', 'open', '/a'), 'E_FILE_WRITE', /\/a/],
  [failed('EACCES', 'mkdir', '/a'), 'E_FILE_WRITE', /EACCES/],
  [failed('EPIPE', 'write'), 'E_INTERNAL', /EPIPE/],
  [new TypeError('x is not a function'), 'E_INTERNAL', /x is not a function/],
  ['text', 'E_INTERNAL', /text/],
  [undefined, 'E_INTERNAL', /undefined/],
])('%s is %s', (error, code, message) => {
  const found = asHoneError(error);
  expect([found.code, found.message]).toEqual([code, expect.stringMatching(message)]);
});

test('arrays that no machine can hold are a matter of memory', () => {
  expect(thrownBy(() => new Float32Array(551903297279)).code).toBe('E_MEMORY');
  expect(thrownBy(() => new Array(-1)).code).toBe('E_MEMORY');
  expect(thrownBy(() => 'x'.repeat(-1)).code).toBe('E_INTERNAL');
  const own = new HoneError('E_USAGE', { reason: 'r', verb: 'v' });
  expect(asHoneError(own)).toBe(own);
});

test('an error that is an answer has no stack, and takes none from others', () => {
  const answer = answerError('E_QUEUE_FULL', { model: 'm', waiting: 3, retryS: 1 });
  expect(answer).toBeInstanceOf(HoneError);
  expect([answer.code, answer.message]).toEqual(['E_QUEUE_FULL', expect.stringMatching(/3/)]);
  expect(answer.stack).not.toMatch(/\n\s+at /);
  expect(new HoneError('E_QUEUE_FULL').stack).toMatch(/\n\s+at .*error\.test/);
});
