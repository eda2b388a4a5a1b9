import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../lib/core/rng';
import { builtAddonPath, type PlanArray, type SessionMemory, type SessionProfile } from '../../lib/engine/addon';
import { allocate } from '../../lib/engine/arrays';
import { openSession, type Session, type SessionOptions } from '../../lib/engine/session';
import { readModelFile } from '../../lib/onnx/read-model';
import { PLAN_TYPES, PLAN_VERSION } from '../../lib/plan/format';
import { planOf } from '../compile/sample-plans';
import { dataPath, describeWithData } from '../data';
import { everyOperation } from '../engine/every-operation';
import { PlanBuilder, smallNetwork } from '../engine/plans';
import { PlanFile } from '../plan/plan-file';
import { ROOT, readSource } from '../tidy/sources';

const HEADER = readSource('native/capi/hone.h');
const LIBRARY = join(builtAddonPath(ROOT, `${process.platform}-${process.arch}`), '../libhone.so');
const STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', `-I${join(ROOT, 'native/capi')}`];
const FOLDER = mkdtempSync(join(tmpdir(), 'hone-capi-'));

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** What a command prints. */
function run(command: string, ...words: string[]): string {
  const { status, signal, error, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error ?? signal ?? status}\n${stderr}${stdout}`);
  return stdout;
}

/** Compiles a C file of the repository against header and library; returns the program. */
function build(source: string): string {
  const program = join(FOLDER, source.replace(/.*\/|\.c$/g, ''));
  const link = [LIBRARY, `-Wl,-rpath,${join(LIBRARY, '..')}`];
  run('cc', '-std=c99', '-D_POSIX_C_SOURCE=200809L', '-O1', ...STRICT, join(ROOT, source), ...link, '-o', program);
  return program;
}

function write(name: string, bytes: Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, bytes);
  return path;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: PlanArray): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

describe('the header', () => {
  test.each(['c99', 'c11', 'c17'])('as %s', (standard) => {
    const empty = write('empty.c', Buffer.from('#include "hone.h"\n#include "hone.h"\nint main(void) { return 0; }\n'));
    run('cc', `-std=${standard}`, ...STRICT, '-Wstrict-prototypes', '-fsyntax-only', empty);
  });

  test.each(['c++11', 'c++20'])('as %s', (standard) => {
    const text = `#include "hone.h"
hone_options o = HONE_OPTIONS_INIT; hone_info i = HONE_INFO_INIT; hone_port p = HONE_PORT_INIT; hone_node n = HONE_NODE_INIT;
int main() { return static_cast<int>(o.size + i.size + p.size + n.size + hone_abi_version()); }\n`;
    run('c++', `-std=${standard}`, ...STRICT, '-fsyntax-only', write('empty.cc', Buffer.from(text)));
  });

  test('numbers of types are those of plans', () => {
    const types = [...HEADER.matchAll(/^ {2}HONE_(\w+) = (\d)/gm)].map(([, word, number]) => [word, Number(number)]);
    expect(types).toEqual(PLAN_TYPES.map((type, number) => [type.toUpperCase(), number]));
  });

  test('the library exports its functions and nothing else', () => {
    const declared = [...HEADER.matchAll(/^HONE_API .*?\b(hone_\w+)\(/gm)].map(([, name]) => name);
    expect(declared.length).toBeGreaterThan(10);
    const symbols = run('nm', '--dynamic', '--defined-only', LIBRARY).trim().split('\n');
    const exported = symbols.map((line) => line.split(' ').slice(1).join(' '));
    expect(exported.sort()).toEqual(['A HONE_1', ...declared.map((name) => `T ${name}@@HONE_1`)].sort());
  });
});

/** State that every run adds to. */
function counter(): PlanBuilder {
  const b = new PlanBuilder();
  const grid = { scale: 1, zeroPoint: 0 };
  const x = b.input('x', 'int8', [5], grid);
  const y = b.output('y', 'int8', [5], grid);
  const [before, after] = [b.state('int8', [5], grid), b.state('int8', [5], grid)];
  b.node({ op: 'binary_s8', outputs: [after], inputs: [before, x], params: { operation: 'add' } });
  b.node({ op: 'binary_s8', outputs: [y], inputs: [before, x], params: { operation: 'add' } });
  b.states.push({ input: before, output: after });
  return b;
}

/** x float32[1, 4, 3] and ids int64[2] -> their rows y, and z = |x|. */
function lookup(): PlanBuilder {
  const b = new PlanBuilder();
  const [x, ids] = [b.input('x', 'float32', [1, 4, 3]), b.input('ids', 'int64', [2])];
  const [y, z] = [b.output('y', 'float32', [1, 2, 3]), b.output('z', 'float32', [1, 4, 3])];
  b.node({ name: 'embed', op: 'gather', outputs: [y], inputs: [x, ids] });
  return b.node({ op: 'unary_f32', outputs: [z], inputs: [x], params: { operation: 'abs' } });
}

/** The places of x int64[2, 9] that are not 0: an output of which a run decides an extent. */
function counted(): PlanBuilder {
  const b = new PlanBuilder();
  const [x, y] = [b.input('x', 'int64', [2, 9]), b.output('y', 'int64', [2, 18])];
  const [places, tensor] = [b.arena('int64', [2, 18]), b.arena('int64', [1])];
  b.node({ op: 'non_zero', outputs: [places, tensor], inputs: [x] });
  b.outputs[0] = { ...b.outputs[0], counted: { axis: 1, tensor } };
  const params = { extents: [36], srcOffset: 0, dstOffset: 0, srcStrides: [1], dstStrides: [1] };
  return b.node({ op: 'copy_nd', outputs: [y], inputs: [places], params });
}

/** y = |x| of 5 numbers, float16 on both sides. */
function halves(): PlanBuilder {
  const b = new PlanBuilder();
  const [x, y] = [b.input('x', 'float16', [5]), b.output('y', 'float16', [5])];
  const [wide, size] = [b.arena('float32', [5]), b.arena('float32', [5])];
  b.node({ op: 'cast', outputs: [wide], inputs: [x] });
  b.node({ op: 'unary_f32', outputs: [size], inputs: [wide], params: { operation: 'abs' } });
  return b.node({ op: 'cast', outputs: [y], inputs: [size] });
}

/** Seeded numbers for every input: from -1 to 1, small integers. */
function feedsFor({ inputs }: Session): Map<string, PlanArray> {
  const rng = new Rng(5);
  const draw = (array: PlanArray): PlanArray => {
    if (array instanceof Float32Array) return array.map(() => 2 * rng.uniform() - 1);
    if (array instanceof BigInt64Array) return array.map(() => BigInt(rng.integer(0, 2)));
    return array.map(() => rng.integer(0, 2));
  };
  return new Map(inputs.map((input) => [input.name, draw(allocate(input))]));
}

/** What test/capi/describe.c prints. */
interface Description extends Pick<Session, 'variant' | 'cpu' | 'threads' | 'memory'> {
  readonly abi: number;
  readonly version: string;
  readonly variants: number;
  readonly inputs: readonly { name: string; type: number; dims: number[]; bytes: number }[];
  readonly outputs: Description['inputs'];
  readonly nodes: readonly (SessionProfile['nodes'][number] & { runs: number })[];
}

let describeProgram: string | undefined;

/** Runs a plan by the C API and by the addon, and compares all that both say. */
function compareWithAddon(name: string, plan: Uint8Array, options: SessionOptions): void {
  describeProgram ??= build('test/capi/describe.c');
  const session = openSession(plan, { ...options, profile: true });
  const feeds = feedsFor(session);
  const paths = session.inputs.map((input, i) =>
    write(`${name}-${i}.raw`, bytesOf(feeds.get(input.name) as PlanArray)),
  );
  const planPath = write(`${name}.plan`, plan);
  const outputPath = join(FOLDER, `${name}-outputs.raw`);
  const printed = run(describeProgram, planPath, String(options.threads ?? 1), outputPath, ...paths);
  const there = JSON.parse(printed) as Description;

  const parts: Buffer[] = [];
  for (const again of [false, false, true]) {
    if (again) session.reset();
    const outputs = session.run(feeds);
    parts.push(...session.outputs.map((output) => bytesOf(outputs[output.name])));
  }
  const expected = Buffer.concat(parts);
  expect(expected.length).toBeGreaterThan(0);
  expect(readFileSync(outputPath).equals(expected)).toBe(true);

  const { variant, cpu, threads, memory } = session;
  expect(there).toMatchObject({ abi: 1, variants: 1, variant, cpu, threads, memory, isTimed: true });
  for (const side of ['inputs', 'outputs'] as const)
    expect(there[side]).toEqual(
      session[side].map((port) => ({
        name: port.name,
        type: PLAN_TYPES.indexOf(port.type),
        dims: port.dims,
        bytes: allocate(port).byteLength,
      })),
    );
  const { runs, nodes } = session.profile();
  expect(nodes.length).toBeGreaterThan(0);
  expect(there.nodes.map(({ name, op, kernel, threads, runs }) => ({ name, op, kernel, threads, runs }))).toEqual(
    nodes.map(({ name, op, kernel, threads }) => ({ name, op, kernel, threads, runs })),
  );
  for (const { leastNs, meanNs } of there.nodes) {
    expect(leastNs).toBeGreaterThan(0);
    expect(meanNs).toBeGreaterThanOrEqual(leastNs);
  }
  session.close();
}

describe('the same as the addon', () => {
  test.each<readonly [string, () => PlanBuilder, SessionOptions]>([
    ['small', smallNetwork, {}],
    ['threads', () => smallNetwork(32), { threads: 4 }],
    ['state', counter, {}],
    ['lookup', lookup, { threads: 2 }],
    ['counted', counted, {}],
    ['halves', halves, {}],
    ['every', everyOperation, {}],
  ])('%s', (name, plan, options) => compareWithAddon(name, plan().write(), options));

  test('the version is that of the package', () => {
    const { version } = JSON.parse(readSource('package.json'));
    const printed = run(
      build('test/capi/describe.c'),
      write('v.plan', counter().write()),
      '1',
      '/dev/null',
      write('v', new Uint8Array(5)),
    );
    expect(JSON.parse(printed)).toMatchObject({ version });
  });
});

describeWithData('real models', () => {
  test.each(['mnist-8', 'dscnn_kws_mlperftiny'])('%s', async (model) => {
    const graph = await readModelFile(dataPath('models', `${model}.onnx`));
    compareWithAddon(model, planOf(graph), { threads: 2 });
  });
});

test('the example prints the largest number', () => {
  const plan = smallNetwork().write();
  const session = openSession(plan);
  const image = feedsFor(session).get('image') as Float32Array;
  const { scores } = session.run({ image }) as { scores: Float32Array };
  session.close();
  const largest = Math.max(...scores);
  const printed = run(build('native/capi/example.c'), write('small.plan', plan), write('image.raw', bytesOf(image)));
  const [, count, index, value] = /^scores: the largest of (\d+) is number (\d+): (\S+)\n$/.exec(printed) ?? [];
  expect([Number(count), Number(index)]).toEqual([10, scores.indexOf(largest)]);
  expect(Math.fround(Number(value))).toBe(largest);
});

/** What test/capi/refusals.c meets -> code and words of the message; none: it is not refused. */
const REFUSALS: Readonly<Record<string, readonly [code: string, words: string] | []>> = {
  'no session': ['E_OPTION_VALUE', "option session: expected an address, found 'NULL'"],
  'no session for bytes': ['E_OPTION_VALUE', 'option session: '],
  'no path': ['E_OPTION_VALUE', "option path: expected the path of a plan, found 'NULL'"],
  'no bytes': ['E_OPTION_VALUE', 'option bytes: '],
  '0 bytes': ['E_PLAN_FORMAT', 'not a usable plan: 0 bytes are too few'],
  'other bytes': ['E_PLAN_FORMAT', 'not a usable plan: 10 bytes are too few for a header. Compile the model again'],
  'missing file': ['E_FILE_NOT_FOUND', 'cannot read /nowhere/model.plan: No such file or directory. Check the path'],
  folder: ['E_FILE_NOT_FOUND', 'folder: Is a directory'],
  'broken plan': ['E_PLAN_FORMAT', "node 'embed': unknown operation"],
  'plan of another version': ['E_PLAN_VERSION', `plan format 99 is not supported (this build reads ${PLAN_VERSION})`],
  'long path': ['E_FILE_NOT_FOUND', 'cannot read \u00E9\u00E9'],
  'long path, one byte further': ['E_FILE_NOT_FOUND', 'cannot read /\u00E9\u00E9'],
  '0 threads': ['E_OPTION_VALUE', "option threads: expected integer from 1 to 64, found '0'"],
  '65 threads': ['E_OPTION_VALUE', "option threads: expected integer from 1 to 64, found '65'"],
  '1000 threads': ['E_OPTION_VALUE', "found '1000'"],
  '-1 threads': ['E_OPTION_VALUE', "found '-1'"],
  'variant 1': ['E_OPTION_VALUE', "option variant: expected integer from 0 to 0, found '1'"],
  'cpu sse9': ['E_CPU_MASK', "'sse9' is not usable here; this CPU offers ref"],
  'options without size': ['E_OPTION_VALUE', 'option options: expected size set to sizeof, at least 32'],
  'later options unset': [],
  'later options set': ['E_OPTION_VALUE', 'option options: expected fields that this library knows'],
  'a plan larger than memory': ['E_MEMORY', 'not enough memory: '],
  'closed: info': ['E_SESSION_CLOSED', 'the session is closed. Open a new session.'],
  ...Object.fromEntries(
    ['input', 'output', 'bind input', 'bind output', 'run', 'dims', 'reset', 'node', 'index'].map((call) => [
      `closed: ${call}`,
      ['E_SESSION_CLOSED', 'the session is closed'] as const,
    ]),
  ),
  open: [],
  'no info': ['E_OPTION_VALUE', 'option info: expected an address'],
  'small info': ['E_OPTION_VALUE', "option info: expected size set to sizeof, at least 104, found '96'"],
  'info of the first library': [],
  'no port': ['E_OPTION_VALUE', 'option port: expected an address'],
  'port without size': ['E_OPTION_VALUE', "option port: expected size set to sizeof, at least 96, found '0'"],
  'later port': [],
  'no node': ['E_OPTION_VALUE', 'option node: expected an address'],
  'input 2': ['E_OPTION_VALUE', "option index: expected integer from 0 to 1, found '2'"],
  'input -1': ['E_OPTION_VALUE', 'option index: expected integer from 0 to 1'],
  'output 2': ['E_OPTION_VALUE', "option index: expected integer from 0 to 1, found '2'"],
  'dims 2': ['E_OPTION_VALUE', "option index: expected integer from 0 to 1, found '2'"],
  'no dims': ['E_OPTION_VALUE', "option dims: expected memory, found 'NULL'"],
  'node 2': ['E_OPTION_VALUE', "option index: expected integer from 0 to 1, found '2'"],
  'node before a run': [],
  'run with nothing bound': ['E_INPUT_LENGTH', 'input x: expected 12 elements, found 0'],
  'bind input 2': ['E_OPTION_VALUE', 'option index: '],
  'bind output 2': ['E_OPTION_VALUE', 'option index: '],
  'bind null': ['E_OPTION_VALUE', "option data: expected memory, found 'NULL'"],
  'bind null output': ['E_OPTION_VALUE', 'option data: '],
  'bind 13 elements': ['E_INPUT_LENGTH', 'input x: expected 12 elements, found 13. Send exactly'],
  'bind 47 bytes': ['E_INPUT_LENGTH', 'input x: expected 12 elements, found 47 bytes'],
  'bind 11 elements of output': ['E_OUTPUT_LENGTH', 'output z: expected 12 elements, found 11'],
  'bind off alignment': [
    'E_INPUT_TYPE',
    'input x: expected float32 at a multiple of 4 bytes, found an address 1 beyond',
  ],
  'bind output off alignment': ['E_OUTPUT_TYPE', 'output y: expected float32 at a multiple of 4 bytes'],
  'bind x': [],
  'bind ids': [],
  'run without outputs': ['E_OUTPUT_LENGTH', 'output y: expected 6 elements, found 0'],
  'bind y': [],
  'bind z on x': [],
  'run with z on x': ['E_OUTPUT_OVERLAP', 'output z shares memory'],
  'bind z together': [],
  'bind y together': [],
  'run with y on z': ['E_OUTPUT_OVERLAP', 'output y shares memory'],
  'bind y behind z': [],
  'run with y behind z': [],
  'bind z': [],
  'bind y again': [],
  'run with index 4': ['E_INPUT_INDEX', "node 'embed' met an index beyond"],
  run: [],
};

test('HONE_CACHE names the folder of packed weights', () => {
  describeProgram ??= build('test/capi/describe.c');
  const program = describeProgram;
  const plan = join(FOLDER, 'small.plan');
  writeFileSync(plan, smallNetwork().write());
  const cache = join(FOLDER, 'cache/deep');
  const opened = () => {
    const words = [plan, '1', join(FOLDER, 'cached.raw'), join(FOLDER, 'none.raw')];
    writeFileSync(words[3], new Float32Array(192));
    const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', env: { HONE_CACHE: cache } });
    expect(stderr).toBe('');
    return (JSON.parse(stdout) as { memory: SessionMemory }).memory;
  };
  const [first, second] = [opened(), opened()];
  expect([first.cachedBytes, second.cachedBytes]).toEqual([0, second.packedBytes]);
  expect(second.packedBytes).toBeGreaterThan(0);
});

describe('refusals', () => {
  const broken = new PlanFile(lookup().write());
  const old = new PlanFile(lookup().write());
  const large = counter();
  broken.set('nodes', 0, 'op', 9999);
  old.setHeader('version', 99);
  large.state('int8', [2 ** 30, 15], { scale: 1, zeroPoint: 0 });
  large.arenaBytes = 2 ** 34;
  const plans = { lookup: lookup().write(), broken: broken.bytes(), old: old.bytes(), large: large.write() };
  let answers: readonly (readonly string[])[];
  let facts: Readonly<Record<string, string>>;

  beforeAll(() => {
    mkdirSync(join(FOLDER, 'folder'));
    const paths = Object.entries(plans).map(([name, bytes]) => write(`${name}.plan`, bytes));
    const lines = run(build('test/capi/refusals.c'), ...paths, join(FOLDER, 'folder'))
      .trimEnd()
      .split('\n');
    const parts = lines.map((line) => line.split('\t'));
    facts = Object.fromEntries(parts.filter(([kind]) => kind === 'fact').map(([, what, value]) => [what, value]));
    answers = parts.filter(([kind]) => kind === 'call').map(([, ...answer]) => answer);
  });

  test('the program calls what the table has', () => {
    expect(answers.map(([what]) => what)).toEqual(Object.keys(REFUSALS));
  });

  test.each(Object.entries(REFUSALS))('%s', (what, [code, words]) => {
    const [, result, foundCode, message] = answers.find(([name]) => name === what) as string[];
    expect([result, foundCode]).toEqual(code === undefined ? ['0', ''] : ['1', code]);
    if (words === undefined) expect(message).toBe('');
    else expect(message).toContain(words);
    // Cut between two letters where it does not fit.
    expect(Buffer.byteLength(message)).toBeLessThan(992);
    expect(message).not.toContain('\uFFFD');
  });

  test('what is not refused works, before and after', () => {
    expect(facts).toEqual({
      'without error': '1',
      'later port': 'x 0',
      'node before a run': 'embed 0 0',
      y: '-9 -10 -11 0 -1 -2',
      z: '0 1 2 3 4 5 6 7 8 9 10 11',
      closed: '1',
    });
  });
});

test('want of memory, at every allocation, is E_MEMORY', () => {
  const [opening, asking, name] = run(build('test/capi/want.c'), write('want.plan', lookup().write()))
    .trim()
    .split(' ');
  expect(Number(opening)).toBeGreaterThan(20);
  expect(Number(asking)).toBeGreaterThan(0);
  expect(name).toBe('embed');
});
