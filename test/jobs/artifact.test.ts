import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import { packStrings, unpackStrings } from '../../lib/ir/strings';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import { inspect } from '../../lib/jobs/inspect';
import { makePlan, requireModel } from '../../lib/jobs/make-plan';
import { modelName } from '../../lib/jobs/model-name';
import { randomFeeds } from '../../lib/jobs/random-feeds';
import { runOnce } from '../../lib/jobs/run';
import { findSource, notedSource, sourceMetadata } from '../../lib/jobs/source';
import { writeModel } from '../../lib/onnx/write-model';
import { fromDense } from '../../lib/ops/dense';
import { readPlan } from '../../lib/plan/reader';
import { field, int, node, model as onnxModel, value } from '../onnx/proto';
import { toyFolder, toyGraph } from './toy';

let folder: string;
const path = (...parts: string[]) => join(folder, ...parts);
const open = async (name: string) => requireModel(await openArtifact(path(name)), 'test');

/** Compresses toy.onnx to `target`, as the verb does. */
async function quantizeTo(target: string): Promise<void> {
  const { graph } = await compress(await open('toy.onnx'), { data: path('calib.npz') });
  writeFileSync(path(target), writeModel(graph));
}

beforeEach(() => {
  folder = toyFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['model.onnx', 'model'],
  ['/a/b.c/model.int8.onnx', 'model'],
  ['model.int8.plan', 'model'],
  ['model-8.onnx', 'model-8'],
  ['model', 'model'],
  ['.onnx', '.onnx'],
])('the name of %s is %s', (file, name) => expect(modelName(file)).toBe(name));

describe('what a file is', () => {
  test('decided by its content', async () => {
    await quantizeTo('q.onnx');
    writeFileSync(path('p.onnx'), (await makePlan(await open('q.onnx'))).plan);
    expect(await openArtifact(path('toy.onnx'))).toMatchObject({ kind: 'model', quantized: false });
    expect(await openArtifact(path('q.onnx'))).toMatchObject({ kind: 'model', quantized: true });
    expect(await openArtifact(path('p.onnx'))).toMatchObject({ kind: 'plan' });
  });

  test.each([
    ['none.onnx', 'E_FILE_NOT_FOUND'],
    ['.', 'E_FILE_FOLDER'],
    ['calib.npz', 'E_MODEL_FORMAT'],
  ])('%s: %s', async (name, code) => {
    await expect(openArtifact(path(name))).rejects.toMatchObject({ code });
  });

  test('a plan where a model is needed', async () => {
    writeFileSync(path('p.plan'), (await makePlan(await open('toy.onnx'))).plan);
    const plan = await openArtifact(path('p.plan'));
    expect(() => requireModel(plan, 'compress')).toThrow(
      expect.objectContaining({ code: 'E_OPTION_VALUE', message: expect.stringContaining('compress') }),
    );
  });
});

describe('plans', () => {
  test('a float model becomes a float plan, or an int8 one with calibration samples', async () => {
    const ops = async (options: object) =>
      readPlan((await makePlan(await open('toy.onnx'), options)).plan).variants[0].nodes.map(({ op }) => op);
    expect(await ops({})).toEqual(expect.arrayContaining(['fc_f32']));
    expect(await ops({ data: path('calib.npz') })).toEqual(expect.arrayContaining(['quantize_s8', 'fc_s8']));
  });

  test('compressing first and compiling at once give the same kernels and weights', async () => {
    await quantizeTo('q.onnx');
    const first = readPlan((await makePlan(await open('q.onnx'))).plan);
    const atOnce = readPlan((await makePlan(await open('toy.onnx'), { data: path('calib.npz') })).plan);
    expect(atOnce.variants).toEqual(first.variants);
    expect(atOnce.constants).toEqual(first.constants);
  });

  test('a plan stays as it is', async () => {
    const { plan } = await makePlan(await open('toy.onnx'));
    writeFileSync(path('p.plan'), plan);
    expect(Buffer.compare((await makePlan(await openArtifact(path('p.plan')))).plan, plan)).toBe(0);
  });
});

describe('the float model behind', () => {
  test('a float model is its own', async () => {
    const artifact = await open('toy.onnx');
    expect(await findSource(artifact)).toBe(artifact);
  });

  test('a float model that was made from another one, as by pruning, names that one', async () => {
    const toy = await open('toy.onnx');
    const metadata = new Map(Object.entries(sourceMetadata(toy)));
    writeFileSync(path('pruned.onnx'), writeModel({ ...toy.graph, metadata }));
    expect(await findSource(await open('pruned.onnx'))).toMatchObject({ path: path('toy.onnx'), hash: toy.hash });
  });

  test('found from a quantized model and from plans, wherever they are written', async () => {
    mkdirSync(path('deep/er'), { recursive: true });
    await quantizeTo('deep/q.onnx');
    const { hash } = await open('toy.onnx');
    const plans = {
      'q.plan': await makePlan(await open('deep/q.onnx')),
      'deep/er/q.plan': await makePlan(await open('deep/q.onnx')),
      'deep/f.plan': await makePlan(await open('toy.onnx')),
      'deep/c.plan': await makePlan(await open('toy.onnx'), { data: path('calib.npz') }),
    };
    for (const [name, { plan }] of Object.entries(plans)) writeFileSync(path(name), plan);
    for (const name of ['deep/q.onnx', ...Object.keys(plans)])
      expect(await findSource(await openArtifact(path(name)))).toMatchObject({ path: path('toy.onnx'), hash });
    expect(notedSource(await openArtifact(path('deep/er/q.plan')))).toBe('toy.onnx');
    // What is made does not tell where.
    for (const name of ['deep/q.onnx', ...Object.keys(plans)])
      expect(readFileSync(path(name)).includes(basename(folder))).toBe(false);
    // All files move together.
    renameSync(path('deep'), path('moved'));
    expect(await findSource(await openArtifact(path('moved/q.onnx')))).toMatchObject({ path: path('toy.onnx') });
  });

  test('the reason when there is none', async () => {
    await quantizeTo('q.onnx');
    writeFileSync(path('toy.onnx'), writeModel(toyGraph(new Array(128).fill(0.5))));
    const reasonOf = async (name: string) => ((await findSource(await open(name))) as { reason: string }).reason;
    expect(await reasonOf('q.onnx')).toMatch(/toy\.onnx has changed since/);
    rmSync(path('toy.onnx'));
    expect(await reasonOf('q.onnx')).toMatch(/toy\.onnx is not beside .*q\.onnx nor in a folder above/);
    const { graph } = await open('q.onnx');
    for (const [name, metadata] of [
      ['none.onnx', new Map()],
      ['broken.onnx', new Map([['hone.source', '{"file":']])],
      ['other.onnx', new Map([['hone.source', '{"file":7}']])],
    ] as const) {
      writeFileSync(path(name), writeModel({ ...graph, metadata }));
      expect(await reasonOf(name)).toMatch(/does not say from which float model/);
    }
  });
});

test('weights in another file: found beside the model, by both executors', async () => {
  mkdirSync(path('sub'));
  const weights = Buffer.from(Float32Array.of(10, 20).buffer);
  writeFileSync(path('sub/weights.bin'), weights);
  const place = field(13, field(1, 'location'), field(2, 'weights.bin'));
  const outside = field(5, field(8, 'w'), int(1, 2), int(2, 1), int(14, 1), place);
  const add = [node('Add', ['x', 'w'], ['y']), outside, value(11, 'x', 1, [2]), value(12, 'y', 1, [2])];
  writeFileSync(path('sub/external.onnx'), onnxModel(add));
  const artifact = await openArtifact(path('sub/external.onnx'));
  expect(artifact).toMatchObject({ derived: true });
  expect(await open('toy.onnx')).toMatchObject({ derived: false });
  const outputs = async (executor: 'native' | 'onnxruntime') =>
    toNumbers((await runOnce(artifact, { executor, seed: 4 })).outputs.get('y')!);
  const [x] = randomFeeds(new Map([['x', { type: 'float32', shape: [2] }]]), 4).values();
  expect(await outputs('onnxruntime')).toEqual(
    toNumbers(x).map((number, index) => Math.fround(number + [10, 20][index])),
  );
  expect(await outputs('native')).toEqual(await outputs('onnxruntime'));
});

describe('models of other float types', () => {
  const half = (dims: number[], values: number[]) =>
    fromDense({ type: 'float16', dims, data: Float32Array.from(values) });

  test('become float32 inside, which is noted; both executors take float32, and data of float16', async () => {
    const b = new GraphBuilder();
    const w = b.initializer(half([2, 3], [1, -2, 0.5, 3, 0.25, 1]), 'w');
    b.output(b.node('MatMul', [b.input('x', 'float16', ['N', 2]), w], {}, { outputs: ['y'] }), 'float16', ['N', 3]);
    writeFileSync(path('half.onnx'), writeModel(b.build()));
    writeFileSync(path('half.npz'), writeNpz(new Map([['x', half([2, 2], [1, 2, -0.5, 4])]])));
    const artifact = await openArtifact(path('half.onnx'));
    expect(artifact).toMatchObject({ derived: true, notes: [{ kind: 'float32-conversion' }] });
    expect(inspect(artifact)).toMatchObject({ inputs: [{ type: 'float16' }], notes: [{ severity: 'warning' }] });
    expect(artifact).toMatchObject({
      notes: [
        { message: 'float16 is converted to float32; float16 inputs and outputs stay so in plans and ONNX files' },
      ],
    });
    for (const executor of ['native', 'onnxruntime'] as const) {
      const { outputs } = await runOnce(artifact, { executor, input: path('half.npz'), sample: 1 });
      expect(toNumbers(outputs.get('y')!)).toEqual([11.5, 2, 3.75]);
    }
  });

  test('strings come out as they are', async () => {
    const b = new GraphBuilder();
    const names = b.initializer({ type: 'string', dims: [3], bytes: packStrings(['ant', 'bee', 'cat']) });
    const best = b.node('ArgMax', [b.input('x', 'float32', ['N', 3])], { axis: 1, keepdims: 0 });
    b.output(b.node('Gather', [names, best], {}, { outputs: ['name'] }), 'string', ['N']);
    writeFileSync(path('names.onnx'), writeModel(b.build()));
    writeFileSync(path('names.npz'), writeNpz(new Map([['x', tensorFrom('float32', [1, 3], [0, 5, 2])]])));
    const artifact = await openArtifact(path('names.onnx'));
    const { outputs } = await runOnce(artifact, { executor: 'onnxruntime', input: path('names.npz') });
    expect(unpackStrings(outputs.get('name')!)).toEqual(['bee']);
    const data = { data: path('names.npz'), executor: 'onnxruntime' } as const;
    await expect(evaluateArtifact(artifact, data)).rejects.toMatchObject({
      code: 'E_OUTPUT_TYPE',
      details: { name: 'name', found: 'string' },
    });
  });
});
