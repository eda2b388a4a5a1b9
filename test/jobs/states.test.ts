import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { writeNpz } from '../../lib/data/npz';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dim } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { type InputOptions, openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import { inspect } from '../../lib/jobs/inspect';
import { makePlan, requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { runOnce } from '../../lib/jobs/run';
import { openRecorded, openSamples } from '../../lib/jobs/samples';
import { parseTensor } from '../../lib/onnx/read-tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { casePath, dataPath, describeWithCases, describeWithData } from '../data';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-states-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const [STEPS, INPUTS, HIDDEN, OUTPUTS] = [24, 4, 6, 3];
const rng = new Rng(11);
const draw = (count: number, scale = 1) => Array.from({ length: count }, () => Math.fround(scale * rng.normal()));
const [W, U, V] = [draw(INPUTS * HIDDEN, 0.5), draw(HIDDEN * HIDDEN, 0.4), draw(HIDDEN * OUTPUTS, 0.5)];
const X = draw(STEPS * INPUTS);
const times = (row: readonly number[], matrix: readonly number[], columns: number) =>
  Array.from({ length: columns }, (_, c) => row.reduce((sum, value, r) => sum + value * matrix[r * columns + c], 0));

/** The network step by step in plain float64: states before each step, and outputs. */
function oracle(): { before: number[][]; outputs: number[][] } {
  let h = Array<number>(HIDDEN).fill(0);
  const [before, outputs]: number[][][] = [[], []];
  for (let step = 0; step < STEPS; step++) {
    before.push(h);
    const [a, b] = [times(X.slice(step * INPUTS, (step + 1) * INPUTS), W, HIDDEN), times(h, U, HIDDEN)];
    h = a.map((value, k) => Math.max(0, value + b[k]));
    outputs.push(times(h, V, OUTPUTS));
  }
  return { before, outputs };
}
const ORACLE = oracle();

/** y = hn V, hn = relu(x W + h U); `axis` is where the state has its samples. */
function recurrentModel(name: string, batch: Dim, names: readonly [h: string, hn: string], axis: 0 | 1): string {
  const builder = new GraphBuilder();
  const constant = (dims: number[], values: readonly number[]) =>
    builder.initializer(tensorFrom('float32', dims, values));
  const x = builder.input('x', 'float32', [batch, INPUTS]);
  const shape = axis === 0 ? [batch, HIDDEN] : [2, batch, HIDDEN / 2];
  const h = builder.input(names[0], 'float32', shape);
  const ints = (...values: number[]) => builder.initializer(tensorFrom('int64', [values.length], values));
  const flat =
    axis === 0 ? h : builder.node('Reshape', [builder.node('Transpose', [h], { perm: [1, 0, 2] }), ints(-1, 6)]);
  const sum = builder.node('Add', [
    builder.node('MatMul', [x, constant([INPUTS, HIDDEN], W)]),
    builder.node('MatMul', [flat, constant([HIDDEN, HIDDEN], U)]),
  ]);
  const next = builder.node('Relu', [sum]);
  const y = builder.node('MatMul', [next, constant([HIDDEN, OUTPUTS], V)], {}, { outputs: ['y'] });
  const hn =
    axis === 0
      ? builder.node('Identity', [next], {}, { outputs: [names[1]] })
      : builder.node(
          'Transpose',
          [builder.node('Reshape', [next, ints(-1, 2, 3)])],
          { perm: [1, 0, 2] },
          { outputs: [names[1]] },
        );
  builder.output(y, 'float32', [batch, OUTPUTS]);
  builder.output(hn, 'float32', shape);
  writeFileSync(join(folder, name), writeModel(builder.build()));
  return join(folder, name);
}

function put(name: string, arrays: Readonly<Record<string, Tensor>>): string {
  writeFileSync(join(folder, name), writeNpz(new Map(Object.entries(arrays))));
  return join(folder, name);
}
const x = tensorFrom('float32', [STEPS, INPUTS], X);

describe.each<[string, Dim, readonly [string, string], 0 | 1, InputOptions]>([
  ['found by name, free batch', 'N', ['h', 'hn'], 0, {}],
  ['found by name, samples on the second axis', 'N', ['state', 'stateN'], 1, {}],
  ['found by name, fixed batch, second axis', 1, ['state', 'stateN'], 1, {}],
  ['declared', 1, ['a', 'b'], 0, { states: new Map([['a', 'b']]) }],
])('%s', (_, batch, names, axis, inputs) => {
  const open = async () =>
    requireModel(await openArtifact(recurrentModel('model.onnx', batch, names, axis), inputs), 'test');

  test('are carried over in run', async () => {
    const data = put('x.npz', { x });
    for (const step of [0, 1, 7, STEPS - 1]) {
      const { outputs } = await runOnce(await open(), { input: data, sample: step, executor: 'onnxruntime' });
      for (const [k, value] of toNumbers(outputs.get('y')!).entries())
        expect(value).toBeCloseTo(ORACLE.outputs[step][k], 4);
    }
  });

  test('are recorded for calibration, and may then stand in batches', async () => {
    const { dataset } = await openRecorded(await open(), put('x.npz', { x }), {});
    expect(dataset).toMatchObject({ count: STEPS, hasLabels: false });
    const single = dataset.select([5, 9]).batches({ size: 1 });
    for await (const { inputs: feeds } of single)
      expect(feeds.get(names[0])!.dims).toEqual(axis === 0 ? [1, 6] : [2, 1, 3]);
    const whole = batch === 1 ? dataset.batches({ size: 1 }) : dataset.batches({ size: STEPS });
    let step = 0;
    for await (const { inputs: feeds, count } of whole) {
      const values = toNumbers(feeds.get(names[0])!);
      for (let row = 0; row < count; row++, step++)
        for (let k = 0; k < HIDDEN; k++) {
          const at = axis === 0 ? row * HIDDEN + k : (Math.floor(k / 3) * count + row) * 3 + (k % 3);
          expect(values[at]).toBeCloseTo(ORACLE.before[step][k], 4);
        }
    }
    expect(step).toBe(STEPS);
  });

  test('compress and eval: each model goes on from its own states', async () => {
    const data = put('x.npz', { x });
    const { graph, report } = await compress(await open(), { data });
    expect(report.samples).toMatchObject({ judged: STEPS });
    writeFileSync(join(folder, 'small.onnx'), writeModel(graph));
    const small = await openArtifact(join(folder, 'small.onnx'));
    const { plan } = await makePlan(small);
    writeFileSync(join(folder, 'small.plan'), plan);
    const found = [];
    for (const artifact of [small, await openArtifact(join(folder, 'small.plan'))])
      found.push(await evaluateArtifact(artifact, { data, float: join(folder, 'model.onnx') }));
    expect(found[0]).toEqual(found[1]);
    expect(found[0]).toMatchObject({ samples: STEPS });
    expect(found[0].sqnrDb).toBeGreaterThan(20);
    // The last step of the plan stands on all steps before it.
    const { outputs } = await runOnce(await openArtifact(join(folder, 'small.plan')), {
      input: data,
      sample: STEPS - 1,
    });
    const error = toNumbers(outputs.get('y')!).map((value, k) => Math.abs(value - ORACLE.outputs[STEPS - 1][k]));
    expect(Math.max(...error)).toBeLessThan(0.1 * Math.max(...ORACLE.outputs.flat().map(Math.abs)));
  });

  test('samples that hold their states keep them', async () => {
    const own = draw(STEPS * HIDDEN);
    const dims = axis === 0 ? [STEPS, HIDDEN] : [STEPS, 2, 1, 3];
    const { dataset, states } = await openSamples(
      await open(),
      put('both.npz', { x, [names[0]]: tensorFrom('float32', dims, own) }),
    );
    expect(states.size).toBe(0);
    let step = 0;
    for await (const { inputs: feeds } of dataset.batches({ size: 1 })) {
      expect(toNumbers(feeds.get(names[0])!)).toEqual(own.slice(step * HIDDEN, (step + 1) * HIDDEN));
      step++;
    }
  });
});

test('an input that is not known to be a state is asked for, with the option', async () => {
  const model = await openArtifact(recurrentModel('unknown.onnx', 1, ['a', 'b'], 0));
  await expect(openSamples(model, put('x.npz', { x }))).rejects.toMatchObject({
    code: 'E_DATA_MISMATCH',
    message: expect.stringContaining('or --state a=b, if'),
  });
});

test.each([
  [['x', 'b'], /two values of one type and shape/],
  [['z', 'b'], /an input \(x, a\)/],
  [['a', 'z'], /an output of the model \(y, b\)/],
] as const)('refuses the state %s', async (pair, message) => {
  const path = recurrentModel('refused.onnx', 1, ['a', 'b'], 0);
  await expect(openArtifact(path, { states: new Map([pair]) })).rejects.toMatchObject({
    code: 'E_OPTION_VALUE',
    message: expect.stringMatching(message),
  });
});

test('inspect says which inputs are states, and where their samples are', async () => {
  const path = recurrentModel('shown.onnx', 'N', ['state', 'stateN'], 1);
  expect(inspect(await openArtifact(path))).toMatchObject({
    inputs: [
      { name: 'x', sampleAxis: 0, next: null },
      { name: 'state', sampleAxis: 1, next: 'stateN' },
    ],
  });
});

test('inspect of a plan says what is kept from run to run', async () => {
  const model = requireModel(await openArtifact(recurrentModel('kept.onnx', 1, ['h', 'hN'], 0)), 'test');
  const prepared = prepareForEngine(model.graph);
  for (const states of [new Map<string, string>(), new Map([['h', 'hN']])]) {
    const path = join(folder, 'kept.hone');
    writeFileSync(path, compile(prepared, { sourceHash: '0'.repeat(64), states }).plan);
    using session = openSession(path);
    expect(session.memory.stateBytes > 0).toBe(states.size > 0);
    expect(inspect(await openArtifact(path))).toMatchObject({ stateBytes: session.memory.stateBytes });
  }
});

describeWithCases('state', () => {
  test('samples of both inputs fit', async () => {
    const model = requireModel(await openArtifact(casePath('state.onnx')), 'test');
    const { dataset, states } = await openSamples(model, casePath('state.npz'));
    expect(states.size).toBe(0);
    const found = [];
    for await (const { inputs } of dataset.batches({ size: 1 }))
      found.push([...inputs.values()].map(({ dims }) => dims));
    expect(found).toEqual(
      Array(20).fill([
        [1, 8],
        [2, 1, 8],
      ]),
    );
    const evaluation = await evaluateArtifact(model, { data: casePath('state.npz'), executor: 'onnxruntime' });
    expect(evaluation).toMatchObject({ samples: 20, sqnrDb: Number.POSITIVE_INFINITY, reasons: {} });
  });
});

describeWithData('dtln_1_lstm', () => {
  const read = (set: number, file: string) =>
    parseTensor(readFileSync(dataPath('golden', 'dtln_1_lstm', `test_data_set_${set}`, `${file}.pb`))).tensor;

  test('the golden steps follow from their inputs alone when the state is carried', async () => {
    const states = new Map([['input_3', 'tf_op_layer_stack_2']]);
    const model = await openArtifact(dataPath('models', 'dtln_1_lstm.onnx'), { states });
    const steps = [0, 1, 2, 3].map((set) => read(set, 'input_0'));
    expect(toNumbers(read(0, 'input_1')).every((value) => value === 0)).toBe(true);
    const values = tensorFrom('float32', [4, 1, 257], steps.flatMap(toNumbers));
    const data = put('dtln.npz', { input_2: values });
    for (const sample of [0, 1, 2, 3]) {
      const { outputs } = await runOnce(model, { input: data, sample, executor: 'onnxruntime' });
      for (const [index, found] of [...outputs.values()].entries()) {
        const expected = toNumbers(read(sample, `output_${index}`));
        const error = toNumbers(found).reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k])), 0);
        expect(error).toBeLessThan(1e-5);
      }
    }
    expect(elementCount(values.dims)).toBe(4 * 257);
  });

  test('compresses and is judged on consecutive steps', async () => {
    const states = new Map([['input_3', 'tf_op_layer_stack_2']]);
    const model = requireModel(await openArtifact(dataPath('models', 'dtln_1_lstm.onnx'), { states }), 'test');
    const noise = tensorFrom('float32', [16, 1, 257], draw(16 * 257).map(Math.abs));
    const data = put('noise.npz', { input_2: noise });
    const { graph } = await compress(model, { data });
    writeFileSync(join(folder, 'dtln.onnx'), writeModel(graph));
    const small = await openArtifact(join(folder, 'dtln.onnx'));
    const found = await evaluateArtifact(small, {
      data,
      executor: 'onnxruntime',
      float: dataPath('models', 'dtln_1_lstm.onnx'),
    });
    expect(found).toMatchObject({ samples: 16 });
    expect(found.sqnrDb).toBeGreaterThan(20);
  });
});
