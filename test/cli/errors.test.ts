import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatNpy } from '../../lib/data/npy';
import { writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { LAYERS, npzOf, toyFolder, toyGraph, toySamples } from '../jobs/toy';
import { field, int, model, node, value } from '../onnx/proto';
import { hone } from './hone';

let folder: string;

/** Writes a file into the test folder. */
function put(name: string, bytes: Uint8Array | string): void {
  writeFileSync(join(folder, name), bytes);
}

beforeAll(async () => {
  folder = toyFolder();
  const toy = readFileSync(join(folder, 'toy.onnx'));
  put('text.onnx', 'this is no model');
  put('empty.onnx', '');
  put('short.onnx', toy.subarray(0, toy.length / 2));
  const ports = [value(11, 'x'), value(12, 'y')];
  put('opset.onnx', model([node('Relu', ['x'], ['y']), ...ports], { opset: 99 }));
  put('ir.onnx', model([node('Relu', ['x'], ['y']), ...ports], { ir: 99 }));
  put('operator.onnx', model([node('Sparkle', ['x'], ['y']), ...ports]));
  const entry = field(13, field(1, 'location'), field(2, 'weights.bin'));
  const outside = field(5, field(8, 'w'), int(1, 2), int(2, 1), int(14, 1), entry);
  put('external.onnx', model([node('Add', ['x', 'w'], ['y']), outside, ...ports]));
  put('undefined.onnx', model([node('Relu', ['z'], ['y']), ...ports]));
  const builder = new GraphBuilder();
  const weights = builder.initializer(tensorFrom('float32', [5, 3], new Array(15).fill(1)));
  builder.output(builder.node('MatMul', [builder.input('x', 'float32', ['N', 8]), weights]), 'float32', ['N', 3]);
  put('shapes.onnx', writeModel(builder.build()));
  const spoiled = LAYERS[0].weights.map((weight, index) => (index === 3 ? Number.NaN : weight));
  put('nan.onnx', writeModel(toyGraph(spoiled)));
  put('none.npz', npzOf([]));
  put('wide.npz', writeNpz(new Map([['x', tensorFrom('float32', [4, 9], new Array(36).fill(0))]])));

  put(
    'other.npz',
    writeNpz(new Map(['p', 'q'].map((name) => [name, tensorFrom('float32', [1, 8], new Array(8).fill(0))]))),
  );
  put('inf.npz', npzOf([[1, 2, 3, Number.POSITIVE_INFINITY, 5, 6, 7, 8], ...toySamples(7, 1)]));
  put('constant.npz', npzOf(Array.from({ length: 8 }, () => new Array<number>(8).fill(0.5))));
  put('single.npy', formatNpy(tensorFrom('float32', [2, 8], new Array(16).fill(0.5))));
  put('text.npz', 'no archive');
  expect((await hone(['compile', 'toy.onnx'], { cwd: folder })).code).toBe(0);
  const plan = readFileSync(join(folder, 'toy.plan'));
  for (const [name, at] of [
    ['head', 9],
    ['middle', Math.floor(plan.length / 2)],
    ['end', plan.length - 1],
  ] as const) {
    const flipped = Uint8Array.from(plan);
    flipped[at] ^= 4;
    put(`${name}.plan`, flipped);
  }
  put('cut.plan', plan.subarray(0, plan.length - 64));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the user typed, the code, and words that the message must hold. */
const CASES: readonly (readonly [command: string, code: string, message: RegExp])[] = [
  // Models
  ['inspect none.onnx', 'E_FILE_NOT_FOUND', /none\.onnx.*ENOENT/],
  ['inspect .', 'E_FILE_FOLDER', /\. *: it is a folder/],
  ['compress toy.onnx --recipe .', 'E_FILE_FOLDER', /folder/],
  ['eval toy.onnx --data test.npz --preprocess ./', 'E_FILE_FOLDER', /folder/],
  ['inspect text.onnx', 'E_ONNX_FORMAT', /text\.onnx/],
  ['inspect empty.onnx', 'E_ONNX_FORMAT', /empty/],
  ['inspect short.onnx', 'E_ONNX_FORMAT', /short\.onnx/],
  ['inspect opset.onnx', 'E_ONNX_VERSION', /opset 99 .*7 to 26/],
  ['inspect ir.onnx', 'E_ONNX_VERSION', /IR version 99 .*3 to 13/],
  ['inspect undefined.onnx', 'E_GRAPH_INVALID', /'?z'?/],
  ['compile operator.onnx', 'E_OPERATOR_UNSUPPORTED', /Sparkle/],
  ['compile external.onnx', 'E_ONNX_EXTERNAL', /tensor w.*weights\.bin/],
  ['inspect external.onnx', 'E_ONNX_EXTERNAL', /tensor w.*weights\.bin/],
  ['compile shapes.onnx', 'E_OPERATOR_UNSUPPORTED', /MatMul.*8.*5|MatMul.*5.*8/],
  ['compress shapes.onnx --data calib.npz', 'E_GRAPH_INVALID', /MatMul: inner extents 8 and 5/],
  ['compress nan.onnx --data calib.npz', 'E_GRAPH_INVALID', /hidden_weights/],
  ['compress toy.plan --data calib.npz', 'E_OPTION_VALUE', /plan toy\.plan/],
  // Plans
  ['run head.plan', 'E_PLAN_VERSION', /format/],
  ['run middle.plan', 'E_PLAN_FORMAT', /\w/],
  ['run end.plan', 'E_PLAN_FORMAT', /\w/],
  ['inspect end.plan', 'E_PLAN_FORMAT', /\w/],
  ['run cut.plan', 'E_PLAN_FORMAT', /\w/],
  ['serve middle.plan --port 0', 'E_PLAN_FORMAT', /\w/],
  // Data
  ['compress toy.onnx --data none-there.npz', 'E_FILE_NOT_FOUND', /none-there\.npz/],
  ['compress toy.onnx --data text.npz', 'E_DATA_FORMAT', /text\.npz/],
  ['compress toy.onnx --data none.npz', 'E_DATA_EMPTY', /none\.npz/],
  ['compress toy.onnx --data wide.npz', 'E_DATA_MISMATCH', /samples,8.*4,9/],
  ['compress toy.onnx --data other.npz', 'E_DATA_MISMATCH', /'x'.*p: float32/],
  ['compress toy.onnx --data inf.npz', 'E_CALIBRATION', /x/],
  ['eval toy.onnx --data wide.npz', 'E_DATA_MISMATCH', /samples,8/],
  ['run toy.onnx --input calib.npz --sample 80', 'E_OPTION_VALUE', /0 to 79.*80/],
  // Words
  ['inspekt toy.onnx', 'E_VERB_UNKNOWN', /inspekt/],
  ['run toy.onnx --thread 2', 'E_OPTION_UNKNOWN', /--thread/],
  ['--verison', 'E_OPTION_UNKNOWN', /--verison/],
  ['inspect', 'E_USAGE', /argument 'model'/],
  ['inspect toy.onnx toy.onnx', 'E_USAGE', /too many arguments/],
  ['eval toy.onnx', 'E_USAGE', /--data/],
  ['deploy', 'E_USAGE', /model/],
  // Values
  ['run toy.onnx --threads 0', 'E_OPTION_VALUE', /--threads.*1 to 64.*0/],
  ['run toy.onnx --threads 1.5', 'E_OPTION_VALUE', /1\.5/],
  ['run toy.onnx --seed -1', 'E_OPTION_VALUE', /--seed.*-1/],
  ['run toy.onnx --executor gpu', 'E_OPTION_VALUE', /native or onnxruntime.*gpu/],
  ['bench toy.onnx --pairs many', 'E_OPTION_VALUE', /--pairs.*many/],
  ['serve toy.onnx --port 70000', 'E_OPTION_VALUE', /--port.*65535.*70000/],
  ['serve toy.onnx --port 0 --name a/b', 'E_OPTION_VALUE', /name.*a\/b/],
  ['compress toy.onnx --data calib.npz --estimator best', 'E_OPTION_VALUE', /estimator.*minmax.*best/],
  ['compress toy.onnx --data calib.npz --percentile high', 'E_OPTION_VALUE', /percentile/],
  ['compress toy.onnx --data calib.npz --samples 0', 'E_OPTION_VALUE', /--samples/],
  ['compress toy.onnx --data calib.npz --out toy.onnx', 'E_OPTION_VALUE', /--out.*toy\.onnx/],
  ['compress toy.onnx --data calib.npz --out none/q.onnx', 'E_FILE_WRITE', /none\/q\.onnx/],
  ['compile toy.onnx --out .', 'E_FILE_WRITE', /folder/],
  ['compile toy.onnx --variant x', 'E_OPTION_VALUE', /x=1,3,320,320;y=1,4.*'x'/],
  ['compile toy.onnx --variant z=1,2', 'E_OPTION_VALUE', /an input.*z/],
  ['compile toy.onnx --keep-states', 'E_OPTION_VALUE', /a model with states.*inputs .*outputs logits/],
  ['eval toy.onnx --data test.npz --preprocess {', 'E_OPTION_VALUE', /--preprocess.*JSON/],
  ['eval toy.onnx --data test.npz --preprocess none.json', 'E_FILE_NOT_FOUND', /none\.json/],
  ['run toy.onnx --outputs {', 'E_OPTION_VALUE', /--outputs.*JSON/],
  ['run toy.onnx --outputs none.json', 'E_FILE_NOT_FOUND', /none\.json/],
  ['run toy.onnx --outputs {"kind":"class"}', 'E_OPTION_VALUE', /outputs\.kind.*classes or boxes.*"class"/],
  ['run toy.onnx --outputs {"kind":"classes","labels":["a"]}', 'E_OPTION_VALUE', /outputs\.labels.*logits of \[1, 3\]/],
  ['compile toy.onnx --outputs {"kind":"classes","output":"y"}', 'E_OPTION_VALUE', /outputs\.output.*\(logits\).*'y'/],
  ['compress toy.onnx --data calib.npz --outputs {"kind":"ctc"}', 'E_OPTION_VALUE', /outputs\.alphabet/],
  ['deploy toy.onnx --board=-pi', 'E_BOARD_DESTINATION', /begins with '-'/],
  ['watch board7', 'E_OPTION_VALUE', /board7/],
  ['watch http://127.0.0.1:9', 'E_AGENT_UNREACHABLE', /127\.0\.0\.1:9/],
  ['watch', 'E_AGENT_UNREACHABLE', /none runs/],
];

describe.each(CASES)('hone %s', (command, code, message) => {
  const run = (more: string[]) =>
    hone([...command.split(' '), ...more], { cwd: folder, env: { HONE_STATE_DIR: folder } });

  test(`${code} for people and for machines`, async () => {
    const [people, machines] = await Promise.all([run([]), run(['--json'])]);
    expect(people.stdout).toBe('');
    expect(people.stderr).toMatch(new RegExp(`^error .*\\[${code}\\]\\n`));
    expect(people.stderr).toMatch(message);
    expect(people.stderr).not.toMatch(/\n\s+at |\bundefined\b(?!-value)|\{\w+\}/);
    expect(people.code).toBe(1);
    // The last line says what to do.
    expect(people.stderr.trimEnd().split('\n').at(-1)).toMatch(/^[A-Z].*[.]$/);
    expect(machines.json()).toMatchObject({
      error: { code, message: expect.stringMatching(message), hint: expect.any(String) },
    });
    expect(machines.stderr).toBe('');
    expect(machines.code).toBe(1);
  });
});

test('the nearest right word', async () => {
  const near = async (...args: string[]) =>
    /Did you mean '(.*?)'\? See `(.*?)`/.exec((await hone(args)).stderr)?.slice(1);
  expect(await near('inspekt')).toEqual(['inspect', 'hone --help']);
  expect(await near('depoly', 'x')).toEqual(['deploy', 'hone --help']);
  expect(await near('--verison')).toEqual(['--version', 'hone --help']);
  expect(await near('compress', 'x', '--estimater', 'mse')).toEqual(['--estimator', 'hone compress --help']);
  expect(await near('run', 'x', '--jsn')).toEqual(['--json', 'hone run --help']);
  expect(await near('compress', 'x', '--output', 'y')).toEqual(['--out', 'hone compress --help']);
  expect(await near('compile', 'x', '-o', 'y')).toEqual(['--out', 'hone compile --help']);
  // Where there is no file to write, it is what the outputs mean.
  expect(await near('run', 'x', '--output', 'y')).toEqual(['--outputs', 'hone run --help']);
});

test('onnxruntime prints nothing before our own error, whether it refuses a model or fails in it', async () => {
  const builder = new GraphBuilder();
  const far = builder.node('Mul', [
    builder.input('i', 'float32', [1]),
    builder.initializer(tensorFrom('float32', [], [1e6])),
  ]);
  const index = builder.node('Cast', [far], { to: { kind: 'int', value: 7 } });
  const picked = builder.node('Gather', [builder.input('x', 'float32', [4]), index], {
    axis: { kind: 'int', value: 0 },
  });
  builder.output(picked, 'float32', [1]);
  put('outside.onnx', writeModel(builder.build()));
  for (const [file, code] of [
    ['operator.onnx', 'E_REFERENCE_LOAD'],
    ['outside.onnx', 'E_REFERENCE_RUN'],
  ]) {
    const { stderr } = await hone(['run', file, '--executor', 'onnxruntime'], { cwd: folder });
    expect(stderr).toMatch(new RegExp(`^error onnxruntime .* \\[${code}\\]\n[^\n]*\n$`));
  }
});

test('an option without its value', async () => {
  const { code, stderr } = await hone(['eval', 'toy.onnx', '--data'], { cwd: folder });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/--data <path>.* \[E_USAGE\]\nSee `hone eval --help`/)]);
});

test('HONE_DEBUG=1 shows where an error was thrown, and its cause', async () => {
  for (const more of [[], ['--json']]) {
    const { stderr } = await hone(['inspect', 'none.onnx', ...more], { cwd: folder, env: { HONE_DEBUG: '1' } });
    expect(stderr).toMatch(/HoneError: cannot read none\.onnx[\s\S]*\n\s+at [\s\S]*\[cause\]: Error: ENOENT/);
  }
});

test('what is odd but not wrong goes through', async () => {
  const run = (command: string) => hone(command.split(' '), { cwd: folder });
  const inspected = await run('inspect operator.onnx');
  expect([inspected.code, inspected.stdout]).toEqual([0, expect.stringMatching(/Sparkle/)]);
  expect((await run('compress toy.onnx --data constant.npz --out constant.onnx')).code).toBe(0);
  expect((await run('compress toy.onnx --data single.npy --out single.onnx')).code).toBe(0);
  const { code, stdout } = await run('compress toy.onnx --data calib.npz --out /dev/null --json');
  expect([code, JSON.parse(stdout).path]).toEqual([0, '/dev/null']);
});

test('a broken plan keeps an agent from being deployed, and the folder says why', async () => {
  const env = { HONE_STATE_DIR: join(folder, 'state') };
  const { code, stderr } = await hone(['deploy', 'middle.plan'], { cwd: folder, env });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/E_PLAN_FORMAT/)]);
});
