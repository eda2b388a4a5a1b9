import { posix } from 'node:path';
import { readSource, sourceFiles } from './sources';

/** Files that a file imports, types too. */
type Imports = ReadonlyMap<string, readonly string[]>;

function importsAmong(files: readonly string[], textOf: (path: string) => string): Imports {
  const known = new Set(files);
  const statement = /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s+)?'(\.[^']+)'|\b(?:import|require)\('(\.[^']+)'\)/gm;
  return new Map(
    files.map((path) => [
      path,
      [...textOf(path).matchAll(statement)].flatMap(([, plain, call]) => {
        const target = posix.join(posix.dirname(path), plain ?? call);
        return [`${target}.ts`, `${target}/index.ts`].filter((file) => known.has(file));
      }),
    ]),
  );
}

/** Groups of files that import each other, directly or not. */
function circlesIn(imports: Imports): string[][] {
  const reach = new Map<string, Set<string>>();
  const reachOf = (path: string): Set<string> => {
    const known = reach.get(path);
    if (known) return known;
    const found = new Set<string>();
    reach.set(path, found);
    const open = [...imports.get(path)!];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...imports.get(next)!);
    }
    return found;
  };
  const inCircle = [...imports.keys()].filter((path) => reachOf(path).has(path));
  return inCircle.map((path) => [path, ...inCircle.filter((other) => other !== path && isBetween(path, other))]);

  function isBetween(path: string, other: string): boolean {
    return reachOf(path).has(other) && reachOf(other).has(path);
  }
}

test('the search finds circles, also of types alone', () => {
  const texts: Record<string, string> = {
    'lib/a.ts': "import type { B } from './b';",
    'lib/b.ts': "export { c } from './c';",
    'lib/c.ts': "const a = import('./a');",
    'lib/d.ts': "import { a } from './a';",
  };
  const imports = importsAmong(Object.keys(texts), (path) => texts[path]);
  expect(circlesIn(imports).map(([path]) => path)).toEqual(['lib/a.ts', 'lib/b.ts', 'lib/c.ts']);
});

test('no files of lib import each other in a circle, not even their types', () => {
  const files = sourceFiles('lib', ['.ts']);
  expect(files.length).toBeGreaterThan(100);
  expect(circlesIn(importsAmong(files, readSource))).toEqual([]);
});
