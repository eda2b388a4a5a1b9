// The package as a stranger gets it: `npm pack`, then `npm install <file>` in an empty project with no compiler on the PATH and
// the download of onnxruntime-node's own install script blocked; every verb, on three versions of Node; imports; types.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { nodeBinary } from './node-binary.mjs';

const VERSIONS = ['20.20.2', '22.23.3', '24.22.3'];
const TARBALL_BYTES = 12e6;
const INSTALL_LIMIT_S = 60;

const { writeNpz } = createRequire(import.meta.url)('../../dist/lib/data/npz.js');
const { tensorFrom } = createRequire(import.meta.url)('../../dist/lib/ir/tensor.js');
const start = performance.now();
let checks = 0;

// Outside of the clone, whose node_modules would be found.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hone-package-')));
const project = join(folder, 'project');
const installed = join(project, 'node_modules/@hone-edge/hone');
try {
  main();
  console.log(`${checks} checks of the package in ${((performance.now() - start) / 1000).toFixed(0)} s`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function main() {
  const tarball = pack();
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
  const bare = toolFolder(process.execPath);
  const began = performance.now();
  npm(bare, ['install', tarball]);
  const seconds = (performance.now() - began) / 1000;
  check(seconds <= INSTALL_LIMIT_S, `installed in ${seconds.toFixed(1)} s without a compiler`);
  writeInputs();
  withoutRuntime(bare);
  for (const version of VERSIONS) everyVerb(toolFolder(nodeBinary('x64', version)), version);
  cProgram(bare);
  imports(bare);
  types();
  buildsAddon(bare);
}

/** Packs and looks into the package; returns its path. */
function pack() {
  const { stdout } = run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: process.cwd() });
  const [{ filename, size, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  const paths = files.map(({ path }) => path);
  check(size <= TARBALL_BYTES, `the package takes ${(size / 1e6).toFixed(2)} MB, ${files.length} files`);
  for (const needed of [
    ...[
      'LICENSE',
      'THIRD_PARTY_NOTICES.md',
      'README.md',
      'docs/cli.md',
      'deploy/targets/raspberry-pi-5.json',
      'native/sources.json',
    ],
    ...['native/capi/hone.h', 'native/capi/example.c', 'dist/agent/hone-agent.js'],
    ...['linux-x64', 'linux-arm64'].flatMap((target) =>
      ['hone.node', 'libhone.so'].map((file) => `prebuilds/${target}/${file}`),
    ),
  ])
    check(paths.includes(needed), `${needed} is in the package`);
  const strays = paths.filter((path) =>
    /^(test|bench|deploy(?!\/targets\/)|dist\/(test|bench))\/|\.map$|^[^/]*\.(json|gyp)$/.test(path),
  );
  check(strays.join() === 'package.json', `no other files: ${strays}`);
  return join(folder, filename);
}

/** A folder for the PATH with Node, npm and a shell in it, nothing else; no compiler above all. */
function toolFolder(node) {
  const tools = join(folder, `tools-${createHash('sha256').update(node).digest('hex').slice(0, 8)}`);
  mkdirSync(tools);
  symlinkSync(node, join(tools, 'node'));
  for (const name of ['npm', 'npx', 'sh']) symlinkSync(which(name), join(tools, name));
  return tools;
}

function which(name) {
  const path = process.env.PATH.split(delimiter)
    .map((place) => join(place, name))
    .find(existsSync);
  if (path === undefined) throw new Error(`${name} is missing on this machine`);
  return realpathSync(path);
}

/** A toy model by the public API, as an ES module, and samples for it. */
function writeInputs() {
  const values = Array.from({ length: 40 * 8 }, (_, index) => Math.sin(index));
  const labels = Array.from({ length: 40 }, (_, index) => index % 3);
  const samples = new Map([
    ['x', tensorFrom('float32', [40, 8], values)],
    ['labels', tensorFrom('int64', [40], labels)],
  ]);
  writeFileSync(join(project, 'samples.npz'), writeNpz(samples));
  writeFileSync(
    join(project, 'make-model.mjs'),
    `import { writeFileSync } from 'node:fs';
import { GraphBuilder, tensorFrom, writeModel } from '@hone-edge/hone';
const builder = new GraphBuilder();
const weights = builder.initializer(tensorFrom('float32', [8, 3], Array.from({ length: 24 }, (_, i) => Math.cos(i))));
builder.output(builder.node('MatMul', [builder.input('x', 'float32', ['N', 8]), weights]), 'float32', ['N', 3]);
writeFileSync('toy.onnx', writeModel(builder.build()));
`,
  );
}

/** Without onnxruntime-node each verb that needs it names the command that brings it, and that command works. */
function withoutRuntime(tools) {
  // A later npm may not run install scripts at all, and then nothing is left out.
  rmSync(join(project, 'node_modules/onnxruntime-node'), { recursive: true, force: true });
  run('node', ['make-model.mjs'], { tools });
  const doctor = JSON.parse(run('npx', ['hone', 'doctor', '--json'], { tools }).stdout);
  const { state, detail } = doctor.findings.find(({ what }) => what === 'onnxruntime-node');
  const command = /`(npm install [^`]+)`/.exec(detail)?.[1] ?? '';
  check(state === 'absent' && command !== '', `doctor says how to get onnxruntime-node: ${detail}`);
  for (const words of [
    ['compress', 'toy.onnx', '--data', 'samples.npz'],
    ['train', 'toy.onnx', '--data', 'samples.npz'],
    ['sensitivity', 'toy.onnx', '--data', 'samples.npz'],
    ['run', 'toy.onnx', '--executor', 'onnxruntime'],
  ]) {
    const { stdout } = hone(tools, [...words, '--json'], 1);
    const { code, hint } = JSON.parse(stdout).error;
    check(code === 'E_REFERENCE_MISSING' && hint.includes(command), `${words[0]} without onnxruntime-node: ${hint}`);
  }
  const timed = JSON.parse(hone(tools, ['bench', 'toy.onnx', '--pairs', '5', '--json']).stdout);
  check(timed.native.p50Us > 0 && timed.reasons.onnxruntime.includes(command), 'bench times the engine alone');
  npm(tools, command.split(' ').slice(1));
}

/** The verbs as README shows them, from the installed command. */
function everyVerb(tools, version) {
  const json = (words) => JSON.parse(hone(tools, [...words, '--json']).stdout);
  check(run('node', ['--version'], { tools }).stdout.trim() === `v${version}`, `Node ${version}`);
  check(
    json(['doctor']).findings.every(({ what, state }) => state === 'ok' || what === 'C++ compiler'),
    'doctor',
  );
  check(json(['inspect', 'toy.onnx']).parameters === 24, 'inspect');
  check(json(['compress', 'toy.onnx', '--data', 'samples.npz']).path === 'toy.int8.onnx', 'compress');
  check(json(['compile', 'toy.int8.onnx']).path === 'toy.int8.plan', 'compile');
  const [scores] = Object.values(json(['run', 'toy.int8.plan', '--input', 'samples.npz']));
  check(scores.data.length === 3, 'run');
  check(json(['eval', 'toy.int8.plan', '--data', 'samples.npz']).samples === 40, 'eval');
  const { native, onnxruntime } = json(['bench', 'toy.int8.onnx', '--pairs', '20']);
  check(native.p50Us > 0 && onnxruntime.p50Us > 0, 'bench');
  const { url } = json(['deploy', 'toy.int8.plan', '--board', 'local']);
  try {
    check(json(['watch', url, '--frames', '1']).model === 'toy', 'deploy and watch');
  } finally {
    check(json(['deploy', '--stop']).stopped, 'deploy --stop');
  }
  const text = hone(tools, ['inspect', 'missing.onnx'], 1);
  check(/E_FILE_NOT_FOUND/.test(text.stderr), 'an error for people');
  console.log(`ok   every verb on Node ${version}`);
}

/** The C example as docs/c-api.md builds it, from what is installed: it prints the largest number that `run` gives. */
function cProgram(tools) {
  const elements = Float32Array.from({ length: 8 }, (_, index) => Math.sin(index));
  writeFileSync(join(project, 'one.npz'), writeNpz(new Map([['x', tensorFrom('float32', [1, 8], elements)]])));
  writeFileSync(join(project, 'one.raw'), new Uint8Array(elements.buffer));
  const ran = hone(tools, ['run', 'toy.int8.plan', '--input', 'one.npz', '--json']);
  const [{ data }] = Object.values(JSON.parse(ran.stdout));
  const [capi, library] = [join(installed, 'native/capi'), join(installed, `prebuilds/linux-${process.arch}`)];
  run('cc', [
    '-std=c99',
    '-I',
    capi,
    join(capi, 'example.c'),
    join(library, 'libhone.so'),
    `-Wl,-rpath,${library}`,
    '-o',
    'c',
  ]);
  const { stdout } = run(join(project, 'c'), ['toy.int8.plan', 'one.raw']);
  const [, index, value] = /is number (\d+): (\S+)\n$/.exec(stdout) ?? [];
  const largest = Math.max(...data);
  check(
    Number(index) === data.indexOf(largest) && Math.fround(Number(value)) === largest,
    `C program: ${stdout.trim()}`,
  );
}

/** Named imports of an ES module and require give the same functions. */
function imports(tools) {
  const names = 'Object.keys(hone).filter((name) => typeof hone[name] === "function").length';
  writeFileSync(join(project, 'count.mjs'), `import * as hone from '@hone-edge/hone'; console.log(${names});`);
  writeFileSync(join(project, 'count.cjs'), `const hone = require('@hone-edge/hone'); console.log(${names});`);
  const [module, script] = ['count.mjs', 'count.cjs'].map((file) => Number(run('node', [file], { tools }).stdout));
  check(script > 30 && module >= script, `${script} functions by require, ${module} by import`);
}

/** The declarations hold by themselves: strict, library files checked, no other types installed. */
function types() {
  writeFileSync(
    join(project, 'use.mts'),
    `import { type AgentClient, compile, connect, type Graph, GraphBuilder, HoneError, openSession, type Session } from '@hone-edge/hone';
const graph: Graph = new GraphBuilder().build();
export const session: Session = openSession(compile(graph, { sourceHash: '00' }).plan);
export const client: AgentClient = connect('http://127.0.0.1:1');
// @ts-expect-error: a code of the table, or the types say nothing
export const wrong = new HoneError('E_NO_SUCH_CODE');
`,
  );
  writeFileSync(
    join(project, 'use.cts'),
    `import hone = require('@hone-edge/hone');\nexport const read = hone.readPlan;\n`,
  );
  const compiler = resolve('node_modules/typescript/bin/tsc');
  for (const module of ['node16', 'nodenext']) {
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--module', module];
    run(process.execPath, [compiler, ...flags, 'use.mts', 'use.cts']);
    check(true, `types with ${module}`);
  }
}

/** Where no addon fits, a verb names the command that builds it; that command needs a compiler and no network. */
function buildsAddon(tools) {
  rmSync(join(installed, 'prebuilds'), { recursive: true });
  const refused = JSON.parse(hone(tools, ['run', 'toy.int8.plan', '--json'], 1).stdout).error;
  check(refused.code === 'E_ADDON_MISSING' && refused.hint.includes('build-addon`'), refused.hint);
  const without = JSON.parse(hone(tools, ['build-addon', '--json'], 1).stdout).error;
  check(without.code === 'E_ADDON_BUILD' && without.hint.includes('g++'), without.hint);
  // Unoptimised: what is checked is that the build is complete.
  const env = { PATH: process.env.PATH, CXXFLAGS: '-O0', HTTPS_PROXY: 'http://127.0.0.1:9' };
  run(process.execPath, [join(installed, 'dist/lib/cli/main.js'), 'build-addon'], { env });
  check(readdirSync(join(installed, 'build')).length === 1, 'build-addon');
  const { stdout } = hone(tools, ['run', 'toy.int8.plan', '--json']);
  check(Object.keys(JSON.parse(stdout)).length === 1, 'a verb runs with the addon built here');
}

function npm(tools, words) {
  run('npm', words, { tools, env: { GLOBAL_AGENT_HTTPS_PROXY: 'http://127.0.0.1:9' } });
}

/** Runs the installed command, as npx does once it has found it. */
function hone(tools, words, code = 0) {
  return run(join(project, 'node_modules/.bin/hone'), words, { tools, code });
}

/** Runs a command in the project, with nothing but `tools` on the PATH when given; it must end with `code`. */
function run(command, args, { tools, env = {}, code = 0, cwd = project } = {}) {
  const path = tools === undefined ? {} : { PATH: tools };
  const result = spawnSync(tools === undefined ? command : resolve(tools, command), args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: '1', HONE_STATE_DIR: join(folder, 'state'), ...path, ...env },
  });
  if (result.status === code) return result;
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.slice(-4000);
  throw new Error(`${command} ${args.join(' ')}: ${result.error?.message ?? `exit code ${result.status}`}\n${said}`);
}

function check(holds, what) {
  if (!holds) throw new Error(`the package fails: ${what}`);
  checks++;
}
