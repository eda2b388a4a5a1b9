import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readSource, sourceFiles } from '../tidy/sources';

interface Row {
  readonly id: string;
  readonly file: string;
  readonly breaks: string;
  readonly find: string;
  readonly replace: string;
}

const ROWS = sourceFiles('test/mutations/breaks', ['.json']).flatMap((path) => JSON.parse(readSource(path)) as Row[]);

test('every deliberate break stands once in the code that it breaks, under a name of its own', () => {
  expect(ROWS.length).toBeGreaterThan(150);
  expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length);
  const stale = ROWS.filter(
    ({ file, find }) => !existsSync(join(ROOT, file)) || readSource(file).split(find).length !== 2,
  );
  expect(stale.map(({ id, file }) => `${id}: follow the code of ${file}`)).toEqual([]);
  expect(ROWS.filter(({ find, replace, breaks }) => find === replace || breaks === '')).toEqual([]);
});
