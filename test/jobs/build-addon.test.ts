import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { builtAddonPath } from '../../lib/engine/addon';
import { buildAddon } from '../../lib/jobs/build-addon';
import { ROOT } from '../tidy/sources';

/** A package of one file that stands for the engine; the gate `package` builds the real one. */
function packageOf(source: string): string {
  const root = mkdtempSync(join(tmpdir(), 'hone-build-'));
  mkdirSync(join(root, 'native/engine'), { recursive: true });
  for (const name of ['node-api-headers', 'node-addon-api']) {
    mkdirSync(join(root, 'node_modules', name), { recursive: true });
    writeFileSync(join(root, 'node_modules', name, 'package.json'), '{}');
  }
  const sources = {
    flags: { all: ['-DANSWER=42'] },
    instruction_sets: {},
    core: ['native/answer.cc'],
    kernels: { baseline: [] },
    engine: [],
    binding: [],
  };
  writeFileSync(join(root, 'native/sources.json'), JSON.stringify(sources));
  writeFileSync(join(root, 'native/engine/glibc_floor.h'), '');
  writeFileSync(join(root, 'native/answer.cc'), source);
  return root;
}

const folders: string[] = [];
const made = (source: string): string => folders[folders.push(packageOf(source)) - 1];
afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true })));

const target = (root: string): string => builtAddonPath(root, `${process.platform}-${process.arch}`);
/** Node takes a library for an addon when it has this function; it returns the exports. */
const ADDON = `extern "C" __attribute__((visibility("default"))) void *napi_register_module_v1(void *, void *exports) {
  static_assert(ANSWER == 42);
  return exports;
}`;

test('compiles, links and installs what then loads', async () => {
  const root = made(ADDON);
  const progress: number[][] = [];
  const built = await buildAddon({ root, onProgress: (done, total) => progress.push([done, total]) });
  expect(built).toMatchObject({ path: target(root), files: 1 });
  expect(progress).toEqual([[1, 1]]);
  expect(existsSync(target(root))).toBe(true);
});

const ABORTED = AbortSignal.abort();
test.each([
  ['no compiler', ADDON, { compiler: 'no-such-compiler' }, 'E_ADDON_BUILD', /no-such-compiler cannot be run/],
  ['a source that does not compile', 'int x = ;', {}, 'E_ADDON_BUILD', /answer\.cc:1:9: error/],
  ['a library that is no addon', 'int x = 1;', {}, 'E_ADDON_MISSING', /does not load/],
  ['an interruption', ADDON, { signal: ABORTED }, 'E_INTERRUPTED', /nothing was installed/],
])('%s installs nothing', async (_name, source, options, code, message) => {
  const root = made(source);
  await expect(buildAddon({ root, ...options })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(existsSync(target(root))).toBe(false);
});

test('a folder without sources, and one without headers', async () => {
  const root = made(ADDON);
  rmSync(join(root, 'node_modules/node-addon-api'), { recursive: true });
  await expect(buildAddon({ root })).rejects.toMatchObject({ code: 'E_ADDON_BUILD', message: /node-addon-api/ });
  rmSync(join(root, 'native'), { recursive: true });
  await expect(buildAddon({ root })).rejects.toMatchObject({ code: 'E_ADDON_BUILD', message: /sources are not there/ });
  rmSync(join(root, 'build'), { recursive: true });
  writeFileSync(join(root, 'build'), '');
  await expect(buildAddon({ root })).rejects.toMatchObject({ code: 'E_FILE_WRITE' });
});

test('the addon lies where the loader looks first', () => {
  expect(dirname(target(ROOT))).toBe(join(ROOT, `build/${process.platform}-${process.arch}/Release`));
});
