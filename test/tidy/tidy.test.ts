import { existsSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { LAYERS, NATIVE_LAYERS, PURE, PURE_PACKAGES } from './layers';
import { ROOT, readSource, sourceFiles } from './sources';

const LIB = sourceFiles('lib', ['.ts']);
const NATIVE = sourceFiles('native', ['.cc', '.h']);

/** Module names that a TypeScript file imports, also types and dynamic imports. */
function importsOf(text: string): string[] {
  const statement = /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s+)?|\bimport\(\s*|\brequire\(\s*/;
  const pattern = new RegExp(`(?:${statement.source})['"]([^'"]+)['"]`, 'gm');
  return [...text.matchAll(pattern)].map((match) => match[1]);
}

/** Import lines that break the layer table. */
function layerBreaks(path: string, text: string): string[] {
  const own = path.split('/')[1];
  if (own === 'index.ts') return [];
  const layer = LAYERS[own];
  if (layer === undefined) return [`${path}: folder lib/${own} is not in the layer table`];
  return importsOf(text).flatMap((name) => {
    if (!name.startsWith('.'))
      return layer.outside || PURE_PACKAGES.includes(name) ? [] : [`${path}: layer ${own} may not import '${name}'`];
    const target = posix.join(posix.dirname(path), name).split('/');
    if (target[0] !== 'lib') return name.endsWith('.json') ? [] : [`${path}: imports '${name}' outside lib/`];
    const other = target[1];
    const allowed =
      other === own ||
      layer.imports === 'everything' ||
      (layer.imports === 'everything but cli' && other !== 'cli') ||
      layer.imports.includes(other);
    return allowed ? [] : [`${path}: layer ${own} may not import layer ${other} ('${name}')`];
  });
}

/** Include lines that break the native layer table. */
function nativeBreaks(path: string, text: string): string[] {
  const own = path.split('/')[1];
  return [...text.matchAll(/^#include "([^"]+)"/gm)].flatMap(([, name]) => {
    const [root, other] = name.split('/');
    if (root !== 'native') return [`${path}: includes are rooted at the repository, found "${name}"`];
    if (path.endsWith('_check.cc') && name.startsWith('native/tools/check_kernels/')) return [];
    return other === own || NATIVE_LAYERS[own]?.includes(other) ? [] : [`${path}: ${own} may not include ${name}`];
  });
}

describe('layers', () => {
  test('the check finds a break', () => {
    expect(layerBreaks('lib/ir/graph.ts', "import { x } from '../ops/index';")).toHaveLength(1);
    expect(layerBreaks('lib/ir/graph.ts', "import { x } from 'node:fs';")).toHaveLength(1);
    expect(layerBreaks('lib/ir/graph.ts', "import {\n  x,\n} from '../ops/index';")).toHaveLength(1);
    expect(layerBreaks('lib/ir/graph.ts', "export { x } from '../ops/index';\nimport '../ops/a';")).toHaveLength(2);
    expect(layerBreaks('lib/ir/graph.ts', "const x = import('../ops/a');\nrequire('node:fs');")).toHaveLength(2);
    expect(nativeBreaks('native/core/cpu.cc', '#include "native/engine/plan.h"')).toHaveLength(1);
    expect(nativeBreaks('native/kernels/a/a.cc', '#include "native/tools/check_kernels/b.h"')).toHaveLength(1);
  });

  test('the check takes no other text for an import', () => {
    expect(importsOf("export const TEXT = { a: \"comes from 'there'\" };\n// read from 'here'")).toEqual([]);
    expect(nativeBreaks('native/kernels/a/a_check.cc', '#include "native/tools/check_kernels/b.h"')).toEqual([]);
  });

  test(`imports of ${LIB.length} TypeScript files follow the data`, () => {
    expect(LIB.length).toBeGreaterThan(50);
    expect(LIB.flatMap((path) => layerBreaks(path, readSource(path)))).toEqual([]);
  });

  test(`includes of ${NATIVE.length} C++ files follow the data`, () => {
    expect(NATIVE.length).toBeGreaterThan(50);
    expect(NATIVE.flatMap((path) => nativeBreaks(path, readSource(path)))).toEqual([]);
  });

  test('napi.h is included by one setup header only', () => {
    const users = NATIVE.filter((path) => /#include <napi\.h>|#include <node_api\.h>/.test(readSource(path)));
    expect(users).toEqual(['native/binding/napi_setup.h']);
  });

  test('pure layers use no clock, no unseeded randomness, no printing', () => {
    const impure = /\b(Date\.now|new Date\(|performance\.|Math\.random|console\.|process\.)/;
    const breaks = LIB.filter((path) => PURE.includes(path.split('/')[1]) && impure.test(readSource(path)));
    expect(breaks).toEqual([]);
  });
});

describe('onnxruntime', () => {
  const files = ['lib', 'bench', 'test'].flatMap((folder) => sourceFiles(folder, ['.ts']));
  const usersOf = (pattern: RegExp) =>
    files.filter((path) => path !== 'test/tidy/tidy.test.ts' && pattern.test(readSource(path)));

  test('sessions are made in one place, beside those of the bench', () => {
    const rivals = ['bench/demo/contestants.ts', 'bench/rival.ts'];
    expect(usersOf(/InferenceSession\.create|\bRuntime\.create\(/)).toEqual(['lib/reference/session.ts', ...rivals]);
    expect(usersOf(/disable_quant_qdq/)).toEqual(['lib/reference/session.ts']);
    expect(usersOf(/require\('onnxruntime-node/)).toEqual(['lib/reference/runtime.ts', 'bench/rival.ts']);
  });

  test('its integer kernels run only where they are timed or compared', () => {
    expect(usersOf(/\bintegerKernels: (?!options|false)/)).toEqual([
      'lib/jobs/bench.ts',
      'lib/reference/saturation.ts',
      'test/compile/oracle.test.ts',
      'test/compress/quantize/optimized.ts',
      'test/jobs/fused-sessions.test.ts',
    ]);
  });
});

describe('names and rooms', () => {
  test('TypeScript files are kebab-case', () => {
    const bad = LIB.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(posix.basename(path)));
    expect(bad).toEqual([]);
  });

  test('no catch-all folders', () => {
    const folders = [...LIB, ...NATIVE, ...sourceFiles('test', ['.ts'])].map((path) => posix.dirname(path));
    expect(folders.filter((path) => /\b(utils?|common|helpers?|types)\b/.test(path))).toEqual([]);
  });

  test('every layer has a README of at most 15 lines', () => {
    const bad = Object.keys(LAYERS)
      .filter((layer) => existsSync(join(ROOT, 'lib', layer)))
      .filter((layer) => {
        const path = join(ROOT, 'lib', layer, 'README.md');
        return !existsSync(path) || readSource(`lib/${layer}/README.md`).trim().split('\n').length > 15;
      });
    expect(bad).toEqual([]);
  });

  test('no file of more than 450 lines that somebody writes', () => {
    const texts = [...LIB, ...NATIVE].map((path) => [path, readSource(path)] as const);
    const written = texts.filter(([, text]) => !/^\/\/ Generated from/.test(text));
    const long = written.filter(([, text]) => text.split('\n').length > 450).map(([path]) => path);
    expect(long).toEqual([]);
  });
});

describe('native sources', () => {
  const sources = JSON.parse(readSource('native/sources.json')) as Record<string, unknown>;
  const listed = new Set(
    [
      ...[sources.core, sources.checks, sources.engine, sources.binding, sources.capi],
      ...Object.values(sources.kernels as object),
    ].flat(),
  );

  test('sources.json lists every source file, and only files that exist', () => {
    const files = NATIVE.filter((path) => path.endsWith('.cc') && !path.startsWith('native/tools/'));
    expect(files.filter((path) => !listed.has(path))).toEqual([]);
    expect([...listed].filter((path) => !existsSync(join(ROOT, path as string)))).toEqual([]);
  });

  test('every kernel folder has its header, reference, table and check', () => {
    const folders = readdirSync(join(ROOT, 'native/kernels'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.length).toBeGreaterThan(10);
    const missing = folders.flatMap(({ name }) =>
      [`${name}.h`, `${name}_ref.cc`, `${name}_table.cc`, `${name}_check.cc`]
        .map((file) => `native/kernels/${name}/${file}`)
        .filter((path) => !existsSync(join(ROOT, path))),
    );
    expect(missing).toEqual([]);
  });

  test('instruction-set files include only kernel and core headers, intrinsics and C headers without code', () => {
    const kernels = sources.kernels as Record<string, string[]>;
    const files = Object.keys(kernels)
      .filter((isa) => isa !== 'baseline')
      .flatMap((isa) => kernels[isa]);
    const allowed = /^(<(immintrin\.h|arm_neon\.h|cstdint|cstddef|cstring)>|"native\/(core|kernels)\/[^"]+")$/;
    const breaks = files.flatMap((path) =>
      [...readSource(path).matchAll(/^#include (\S+)/gm)]
        .filter(([, name]) => !allowed.test(name))
        .map(([line]) => `${path}: ${line}`),
    );
    expect(breaks).toEqual([]);
  });
});

describe('one name, one thing', () => {
  /** Names that two files export on purpose, and what tells them apart. */
  const SHARED: Readonly<Record<string, string>> = {
    constant: 'the operator Constant, and the word of patterns',
    optional: 'the word of schemas, and the word of patterns',
  };

  test('no two files of lib export the same name', () => {
    const files = new Map<string, string[]>();
    for (const path of LIB)
      for (const [, name] of readSource(path).matchAll(
        /^export (?:abstract )?(?:async )?(?:function\*?|class|const|interface|type) (\w+)/gm,
      ))
        files.set(name, [...(files.get(name) ?? []), path]);
    expect(files.size).toBeGreaterThan(500);
    const twice = [...files].filter(([, paths]) => paths.length > 1);
    expect(twice.filter(([name]) => !(name in SHARED))).toEqual([]);
    expect(twice.map(([name]) => name).sort()).toEqual(Object.keys(SHARED));
  });

  test('at most two files of lib have the same name', () => {
    const names = LIB.map((path) => posix.basename(path));
    expect(names.filter((name, at) => names.indexOf(name) !== at && names.lastIndexOf(name) !== at)).toEqual([]);
  });
});
