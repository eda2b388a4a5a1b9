import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../lib/core/rng';
import { writeNpz } from '../../lib/data/npz';
import { openSession, type Session } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import type { Dim, Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { bench } from '../../lib/jobs/bench';
import { compress } from '../../lib/jobs/compress';
import { encodeModel } from '../../lib/jobs/encode-model';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import { inspect } from '../../lib/jobs/inspect';
import { makePlan, type PlanOptions, requireModel } from '../../lib/jobs/make-plan';
import { openNativeExecutor } from '../../lib/jobs/native-executor';
import { compressByRecipe } from '../../lib/jobs/recipe/recipe';
import { parseRecipe } from '../../lib/jobs/recipe/recipe-file';
import { runOnce } from '../../lib/jobs/run';
import { trainModel } from '../../lib/jobs/train';
import { writeModel } from '../../lib/onnx/write-model';
import { fromDense, toDense } from '../../lib/ops/dense';
import { openReference } from '../../lib/reference/session';

let folder: string;
const path = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-float16-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const rng = new Rng(21);
/** Seeded numbers, which float16 does not hold. */
const draw = (count: number, scale = 1) => Array.from({ length: count }, () => Math.fround(scale * rng.normal()));
const tensor = (type: ElementType, dims: readonly number[], values: readonly number[]) =>
  fromDense({ type, dims, data: Float64Array.from(values) });
const bitsOf = (half: Tensor) => viewAs({ ...half, type: 'uint16' }, 'uint16');
const halfNumbers = (bits: Uint16Array) =>
  Array.from(toDense({ type: 'float16', dims: [bits.length], bytes: new Uint8Array(bits.buffer) }, 'float64').data);
const typesOf = ({ inputs, outputs }: Pick<Session, 'inputs' | 'outputs'>) =>
  [inputs, outputs].map((ports) => Object.fromEntries(ports.map(({ name, type }) => [name, type])));

function put(name: string, graph: Graph): string {
  writeFileSync(path(name), writeModel(graph));
  return path(name);
}
function putData(name: string, arrays: Readonly<Record<string, Tensor>>): string {
  writeFileSync(path(name), writeNpz(new Map(Object.entries(arrays))));
  return path(name);
}
const open = async (file: string) => requireModel(await openArtifact(file), 'test');
const planOf = async (file: string, options: PlanOptions = {}) => (await makePlan(await open(file), options)).plan;

const [INPUTS, HIDDEN, OUTPUTS] = [4, 6, 3];

/** y = hn V, hn = relu(x W + h U), all in one type but, if wanted, the next state. */
function recurrent(type: ElementType, next: ElementType = type): Graph {
  const b = new GraphBuilder();
  const constant = (rows: number, columns: number) =>
    b.initializer(tensor(type, [rows, columns], draw(rows * columns, 0.4)));
  const [x, h] = [b.input('x', type, [1, INPUTS]), b.input('h', type, [1, HIDDEN])];
  const sum = b.node('Add', [
    b.node('MatMul', [x, constant(INPUTS, HIDDEN)]),
    b.node('MatMul', [h, constant(HIDDEN, HIDDEN)]),
  ]);
  const state = b.node('Relu', [sum]);
  b.output(b.node('MatMul', [state, constant(HIDDEN, OUTPUTS)], {}, { outputs: ['y'] }), type);
  const code = next === type ? undefined : 1;
  b.output(b.node(code ? 'Cast' : 'Identity', [state], { to: code }, { outputs: ['hn'] }), next);
  return b.build();
}

/** x [N, 4] -> Gemm -> Relu -> Gemm -> y [N, 3]. */
function layers(type: ElementType, batch: Dim = 'N'): Graph {
  const b = new GraphBuilder();
  const constant = (...dims: number[]) => b.initializer(tensor(type, dims, draw(elementCount(dims))));
  const x = b.input('x', type, [batch, INPUTS]);
  const hidden = b.node('Relu', [b.node('Gemm', [x, constant(INPUTS, HIDDEN), constant(HIDDEN)])]);
  b.output(b.node('Gemm', [hidden, constant(HIDDEN, OUTPUTS), constant(OUTPUTS)], {}, { outputs: ['y'] }), type, [
    batch,
    OUTPUTS,
  ]);
  return b.build();
}

describe('states', () => {
  const STEPS = 10;
  const samples = draw(STEPS * INPUTS);
  const row = (step: number) => tensor('float16', [1, INPUTS], samples.slice(step * INPUTS, (step + 1) * INPUTS));

  test('carried over by the caller, by verbs and in the plan are the same bits', async () => {
    const file = put('states.onnx', recurrent('float16'));
    using carried = openSession(await planOf(file));
    expect(typesOf(carried)).toEqual([
      { x: 'float16', h: 'float16' },
      { y: 'float16', hn: 'float16' },
    ]);
    using kept = openSession(await planOf(file, { keepStates: true }));
    expect(typesOf(kept)).toEqual([{ x: 'float16' }, { y: 'float16' }]);
    const data = putData('states.npz', { x: tensorFrom('float32', [STEPS, INPUTS], samples) });
    let h = new Uint16Array(HIDDEN);
    const states = new Set<string>();
    for (let step = 0; step < STEPS; step++) {
      const x = bitsOf(row(step));
      const { y, hn } = carried.run({ x, h }) as Record<string, Uint16Array>;
      h = hn as typeof h;
      states.add(String(h));
      expect([...kept.run({ x }).y]).toEqual([...y]);
      if (step % 4 !== 1) continue;
      const { outputs } = await runOnce(await open(file), { input: data, sample: step });
      expect(outputs.get('y')!.type).toBe('float32');
      expect(toNumbers(outputs.get('y')!)).toEqual(halfNumbers(y));
    }
    expect(states.size).toBe(STEPS);
  });

  test('that are float16 on one side alone: so for the caller, float32 in the plan', async () => {
    const file = put('mixed.onnx', recurrent('float16', 'float32'));
    using carried = openSession(await planOf(file));
    expect(typesOf(carried)).toEqual([
      { x: 'float16', h: 'float16' },
      { y: 'float16', hn: 'float32' },
    ]);
    using kept = openSession(await planOf(file, { keepStates: true }));
    expect(typesOf(kept)).toEqual([{ x: 'float16' }, { y: 'float16' }]);
    const x = bitsOf(row(0));
    expect([...kept.run({ x }).y]).toEqual([...carried.run({ x, h: new Uint16Array(HIDDEN) }).y]);
  });
});

test('each of several shape variants has float16 ports', async () => {
  const file = put('variants.onnx', layers('float16'));
  const shapes = (rows: number) => new Map([['x', [rows, INPUTS]]]);
  const plan = await planOf(file, {
    variants: new Map([
      ['one', shapes(1)],
      ['two', shapes(2)],
    ]),
  });
  const values = draw(2 * INPUTS);
  const executor = openNativeExecutor(plan);
  const both = await executor.run(new Map([['x', tensorFrom('float32', [2, INPUTS], values)]]));
  await executor.close();
  expect(both.get('y')).toMatchObject({ type: 'float32', dims: [2, OUTPUTS] });
  for (const variant of [0, 1]) {
    using session = openSession(plan, { variant });
    expect(typesOf(session)).toEqual([{ x: 'float16' }, { y: 'float16' }]);
    const { y } = session.run({
      x: bitsOf(tensor('float16', [variant + 1, INPUTS], values.slice(0, 4 * (variant + 1)))),
    });
    expect(halfNumbers(y as Uint16Array)).toEqual(toNumbers(both.get('y')!).slice(0, 3 * (variant + 1)));
  }
});

describe('what is made of a float16 model', () => {
  const SAMPLES = 60;
  const x = tensorFrom('float32', [SAMPLES, INPUTS], draw(SAMPLES * INPUTS));
  const labels = tensorFrom(
    'int32',
    [SAMPLES],
    Array.from({ length: SAMPLES }, (_, k) => k % OUTPUTS),
  );
  const SETTINGS = {
    epochs: 1,
    batchSize: 8,
    learningRate: 0.01,
    schedule: 'cosine',
    optimizer: 'sgd',
    weightDecay: 0,
    labelSmoothing: 0,
    clipShare: 0,
    augment: {},
    seed: 1,
  } as const;

  test.each<readonly [how: string, make: (file: string, data: string, target: string) => Promise<unknown>]>([
    [
      'compressed',
      async (file, data, target) => {
        const model = await open(file);
        writeFileSync(target, encodeModel((await compress(model, { data })).graph, model));
      },
    ],
    [
      'compressed by a recipe',
      async (file, data, target) => {
        const recipe = parseRecipe({ data: { training: data }, steps: [{ quantize: {} }] });
        await compressByRecipe(await open(file), { source: { recipe, folder, place: '' }, target });
      },
    ],
    ['trained', async (file, data, target) => trainModel(await open(file), { data, target, settings: SETTINGS })],
  ])('%s takes and gives float16, here and in onnxruntime, and so does its plan', async (_, make) => {
    const file = put('layers.onnx', layers('float16'));
    const data = putData('labelled.npz', { x, labels });
    const target = path('made.onnx');
    await make(file, data, target);
    const made = await open(target);
    const ports = [[{ name: 'x', type: 'float16' }], [{ name: 'y', type: 'float16' }]];
    expect([inspect(made).inputs, inspect(made).outputs]).toMatchObject(ports);
    const sample = tensor('float16', [1, INPUTS], toNumbers(x).slice(0, INPUTS));
    await using reference = await openReference(readFileSync(target));
    const expected = (await reference.run(new Map([['x', sample]]))).get('y')!;
    expect(expected.type).toBe('float16');
    writeFileSync(path('made.plan'), (await makePlan(made)).plan);
    const plan = await openArtifact(path('made.plan'));
    expect([inspect(plan).inputs, inspect(plan).outputs]).toMatchObject(ports);
    using session = openSession(plan.bytes);
    const found = halfNumbers(session.run({ x: bitsOf(sample) }).y as Uint16Array);
    for (const [k, value] of halfNumbers(bitsOf(expected)).entries())
      expect(Math.abs(found[k] - value)).toBeLessThan(0.05);
    // Samples of float32 are judged, run and timed as before.
    const judged = await evaluateArtifact(plan, { data, float: target });
    expect(judged).toMatchObject({ samples: SAMPLES });
    expect(judged.sqnrDb).toBeGreaterThan(30);
    for (const artifact of [made, plan])
      expect(await bench(artifact, { pairs: 2, samples: data })).toMatchObject({
        native: { p50Us: expect.any(Number) },
      });
    expect(await bench(plan, { pairs: 2 })).toMatchObject({ native: { p50Us: expect.any(Number) } });
  });
});

test('what compress reports is what the plan does', async () => {
  const model = await open(put('layers.onnx', layers('float16')));
  const data = putData('samples.npz', { x: tensorFrom('float32', [50, INPUTS], draw(50 * INPUTS)) });
  const { graph, report } = await compress(model, { data });
  expect(report).toMatchObject({ judgedBy: { executor: 'native' }, samples: { judged: 50 } });
  writeFileSync(path('small.onnx'), encodeModel(graph, model));
  writeFileSync(path('small.plan'), (await makePlan(await open(path('small.onnx')))).plan);
  const judged = await evaluateArtifact(await openArtifact(path('small.plan')), { data, float: path('layers.onnx') });
  expect(report.outputs).toEqual([expect.objectContaining({ sqnrDb: expect.closeTo(judged.sqnrDb!, 9) })]);
});

describe('refusals', () => {
  test('float16 ports of a session take no float32, and say what they take', async () => {
    using session = openSession(await planOf(put('one.onnx', layers('float16', 1))));
    const [x, floats] = [new Uint16Array(INPUTS), new Float32Array(OUTPUTS)];
    expect(() => session.run({ x: new Float32Array(INPUTS) })).toThrow(
      'input x: expected float16, as bits in a Uint16Array, found float32',
    );
    expect(() => session.bind({ x }, { y: floats })).toThrow(
      'output y: expected float16, as bits in a Uint16Array, found float32',
    );
  });

  test.each<readonly [number, boolean]>([
    [65519, true],
    [Number.POSITIVE_INFINITY, true],
    [Number.NaN, true],
    [65520, false],
    [-1e9, false],
  ])('a sample with %p', async (value, holds) => {
    const artifact = await open(put('one.onnx', layers('float16', 1)));
    const input = putData('large.npz', { x: tensorFrom('float32', [1, INPUTS], [1, 2, value, 3]) });
    const run = runOnce(artifact, { input });
    if (holds) await expect(run).resolves.toBeDefined();
    else
      await expect(run).rejects.toMatchObject({
        code: 'E_DATA_MISMATCH',
        message: expect.stringMatching(`numbers of float16, at most 65504, for 'x'.*${value} at 2`),
      });
  });

  test.each(['bfloat16', 'float64'] as const)('%s ports become float32, which is said', async (type) => {
    const artifact = await open(put('other.onnx', layers(type, 1)));
    expect(artifact.notes.map(({ message }) => message)).toEqual([
      `${type} is converted to float32, also x, y, which take and give float32`,
    ]);
    expect(inspect(artifact)).toMatchObject({ inputs: [{ type: 'float32' }], outputs: [{ type: 'float32' }] });
    using session = openSession((await makePlan(artifact)).plan);
    expect(typesOf(session)).toEqual([{ x: 'float32' }, { y: 'float32' }]);
  });
});
