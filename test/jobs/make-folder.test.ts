import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../lib/jobs/make-folder';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('makes what is missing, with its permissions; what is there stays', async () => {
  const path = join(folder, 'a', 'b', 'c');
  await makeFolder(path, 0o700);
  await makeFolder(path, 0o777);
  expect([statSync(path).isDirectory(), statSync(path).mode & 0o777]).toEqual([true, 0o700]);
});

test('places that take no folders are refused, and nothing hangs', async () => {
  writeFileSync(join(folder, 'file'), 'x');
  for (const path of ['/proc/hone/x/y', join(folder, 'file'), join(folder, 'file', 'x')])
    await expect(makeFolder(path)).rejects.toMatchObject({
      code: 'E_FILE_WRITE',
      details: { path, ...(path.startsWith('/proc') ? {} : { reason: 'it should be a folder, and a file is there' }) },
    });
});
