import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../../lib/core/rng';
import { readNpz, writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dim } from '../../lib/ir/graph';
import { elementCount, tensorFrom } from '../../lib/ir/tensor';
import { type Artifact, openArtifact } from '../../lib/jobs/artifact';
import { bench } from '../../lib/jobs/bench';
import { compress } from '../../lib/jobs/compress';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import { inspect } from '../../lib/jobs/inspect';
import { makePlan, requireModel } from '../../lib/jobs/make-plan';
import { compressByRecipe } from '../../lib/jobs/recipe/recipe';
import { parseRecipe } from '../../lib/jobs/recipe/recipe-file';
import { runOnce } from '../../lib/jobs/run';
import { writeModel } from '../../lib/onnx/write-model';
import { casePath, describeWithCases } from '../data';

let folder: string;
const rng = new Rng(3);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-free-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Seeded values of a shape. */
const draw = (...dims: number[]) =>
  tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, () => rng.normal()),
  );

function put(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

/** Convolution, mean over all positions, classifier: any height and width will do. */
function pictureModel(name: string, shape: readonly Dim[]): string {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', shape);
  const weights = builder.node('Constant', [], { value: { kind: 'tensor', value: draw(8, 3, 3, 3) } });
  const hidden = builder.node('Relu', [builder.node('Conv', [x, weights], { pads: [1, 1, 1, 1] })]);
  const pooled = builder.node('Flatten', [builder.node('GlobalAveragePool', [hidden])]);
  builder.output(builder.node('Gemm', [pooled, builder.initializer(draw(8, 5), 'w')]), 'float32', ['N', 5]);
  return put(name, writeModel(builder.build()));
}

/** Two inputs whose courses have the same free length. */
function sequenceModel(): string {
  const builder = new GraphBuilder();
  const hidden = builder.node('MatMul', [
    builder.input('a', 'float32', ['N', 'T', 6]),
    builder.initializer(draw(6, 4), 'w'),
  ]);
  const gated = builder.node('Mul', [hidden, builder.input('gate', 'float32', ['N', 'T', 4])]);
  builder.output(builder.node('MatMul', [gated, builder.initializer(draw(4, 3), 'v')]), 'float32', ['N', 'T', 3]);
  return put('sequence.onnx', writeModel(builder.build()));
}

interface Case {
  readonly path: string;
  readonly data: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly macs: number;
}
const shapesOf = ({ shapes }: Pick<Case, 'shapes'>) => ({ shapes: new Map(Object.entries(shapes)) });
const inputsOf = (artifact: Artifact) => inspect(artifact).inputs.map(({ shape }) => shape);

/** Everything that a verb may do with a model whose extents only `--shape` or the data tell. */
function works(what: string, get: () => Case): void {
  describe(what, () => {
    test('unknown without extents, right with them', async () => {
      const { path, shapes, macs } = get();
      const [name] = Object.keys(shapes);
      const free = inspect(await openArtifact(path));
      expect(free).toMatchObject({ macs: null, macsUnknown: expect.stringContaining(`give --shape ${name}=1,`) });
      expect(inspect(await openArtifact(path, shapesOf({ shapes })))).toMatchObject({ macs, macsUnknown: null });
    });

    test('compile, run and bench ask for them', async () => {
      const { path, shapes } = get();
      const free = await openArtifact(path);
      const asks = { code: 'E_SHAPE_FREE', hint: expect.stringContaining(`--shape ${Object.keys(shapes)[0]}=1,`) };
      await expect(makePlan(free)).rejects.toMatchObject(asks);
      for (const executor of ['native', 'onnxruntime'] as const) {
        await expect(bench(free, { pairs: 1, executor })).rejects.toMatchObject(asks);
        await expect(runOnce(free, { executor })).rejects.toMatchObject(asks);
      }
      const bound = await openArtifact(path, shapesOf({ shapes }));
      expect((await makePlan(bound)).plan.length).toBeGreaterThan(0);
      expect(await bench(bound, { pairs: 1 })).toMatchObject({ pairs: 1, native: { p50Us: expect.any(Number) } });
    });

    test('the samples tell them: compress, eval, compile and bench of the result', async () => {
      const { path, data, shapes } = get();
      const model = requireModel(await openArtifact(path), 'test');
      const { graph } = await compress(model, { data });
      const small = await openArtifact(put('small.onnx', writeModel(graph)));
      for (const [index, shape] of Object.values(shapes).entries())
        expect(inputsOf(small)[index]!.slice(1)).toEqual(shape.slice(1));
      const plan = await openArtifact(put('small.plan', (await makePlan(small)).plan));
      expect(inputsOf(plan)).toEqual(Object.values(shapes));
      for (const artifact of [model, small, plan]) {
        const { samples, sqnrDb } = await evaluateArtifact(artifact, { data, float: path });
        expect(samples).toBe(8);
        expect(sqnrDb).toBeGreaterThan(20);
      }
      expect(await bench(model, { pairs: 2, samples: data })).toMatchObject({ ratio: expect.any(Number) });
      expect(await bench(plan, { pairs: 1 })).toMatchObject({ native: { p50Us: expect.any(Number) } });
    });
  });
}

const pictures = (height: number, width: number) =>
  put(`${height}x${width}.npz`, writeNpz(new Map([['x', draw(8, 3, height, width)]])));
works('named height and width', () => ({
  path: pictureModel('named.onnx', ['N', 3, 'H', 'W']),
  data: pictures(9, 7),
  shapes: { x: [1, 3, 9, 7] },
  macs: 9 * 7 * 8 * 27 + 40,
}));
works('one extent fixed', () => ({
  path: pictureModel('half.onnx', ['N', 3, 'H', 6]),
  data: pictures(11, 6),
  shapes: { x: [1, 3, 11, 6] },
  macs: 11 * 6 * 8 * 27 + 40,
}));
works('a length that two inputs share', () => ({
  path: sequenceModel(),
  data: put(
    'sequence.npz',
    writeNpz(
      new Map([
        ['a', draw(8, 5, 6)],
        ['gate', draw(8, 5, 4)],
      ]),
    ),
  ),
  shapes: { a: [1, 5, 6], gate: [1, 5, 4] },
  macs: 5 * 6 * 4 + 5 * 4 * 3,
}));

test('a model whose inside takes one sample is compressed one by one, whatever its input says', async () => {
  const builder = new GraphBuilder();
  const target = builder.initializer(tensorFrom('int64', [2], [1, -1]), 'target');
  const flat = builder.node('Reshape', [builder.input('x', 'float32', ['N', 3, 4]), target]);
  builder.output(builder.node('MatMul', [flat, builder.initializer(draw(12, 5), 'w')], {}, { outputs: ['y'] }));
  const model = requireModel(await openArtifact(put('one.onnx', writeModel(builder.build()))), 'test');
  const data = put('one.npz', writeNpz(new Map([['x', draw(10, 3, 4)]])));
  const { graph } = await compress(model, { data });
  expect(graph.values.get('x')!.shape).toEqual([1, 3, 4]);
  const small = await openArtifact(put('one.int8.onnx', writeModel(graph)));
  const { samples, sqnrDb } = await evaluateArtifact(small, { data, float: model.path });
  expect(samples).toBe(10);
  expect(sqnrDb).toBeGreaterThan(25);
});

test('a recipe weighs a model at the extents of its samples', async () => {
  const path = pictureModel('recipe.onnx', ['N', 3, 'H', 'W']);
  const labels = tensorFrom(
    'int64',
    [60],
    Array.from({ length: 60 }, (_, k) => k % 5),
  );
  const training = put(
    'labelled.npz',
    writeNpz(
      new Map([
        ['x', draw(60, 3, 9, 7)],
        ['labels', labels],
      ]),
    ),
  );
  const step = { macs: 0.65, training: { epochs: 0 } };
  const recipe = parseRecipe({ data: { training }, steps: [{ 'prune-structured': step }], target: { isa: 'ref' } });
  const target = join(folder, 'pruned.onnx');
  const source = { recipe, folder, place: '' };
  const report = await compressByRecipe(requireModel(await openArtifact(path), 'test'), { source, target });
  const whole = 9 * 7 * 8 * 27 + 40;
  expect(report.baseline.macs).toBe(whole);
  expect(report.result.macs).toBeLessThanOrEqual(0.65 * whole);
  expect(report.result.macs).toBeGreaterThan(0.4 * whole);
  expect(inspect(await openArtifact(target))).toMatchObject({ macs: report.result.macs });
});

test('calibration samples tell the extents of a quantized model, too', async () => {
  const builder = new GraphBuilder();
  const [scale, zero] = [
    builder.initializer(tensorFrom('float32', [], [0.1]), 's'),
    builder.initializer(tensorFrom('uint8', [], [128]), 'z'),
  ];
  const step = (value: string) =>
    builder.node('DequantizeLinear', [builder.node('QuantizeLinear', [value, scale, zero]), scale, zero]);
  const pooled = builder.node('MaxPool', [step(builder.input('x', 'float32', ['N', 3, 'H', 'W']))], {
    kernel_shape: [2, 2],
  });
  builder.output(step(pooled), 'float32', undefined);
  const model = await openArtifact(put('quantized.onnx', writeModel(builder.build())));
  await expect(makePlan(model)).rejects.toMatchObject({ code: 'E_SHAPE_FREE' });
  const { plan } = await makePlan(model, { data: pictures(9, 7) });
  expect(inputsOf(await openArtifact(put('quantized.plan', plan)))).toEqual([[1, 3, 9, 7]]);
});

test('extents that do not fit are told as such', async () => {
  const b = new GraphBuilder();
  const w = b.initializer(tensorFrom('float32', [4, 3, 1, 1], new Array(12).fill(1)), 'w');
  b.output(b.node('Conv', [b.input('x', 'float32', ['N', 'C', 'H', 'W']), w], {}, { outputs: ['y'] }));
  const path = put('channels.onnx', writeModel(b.build()));
  const shapes = (channels: number) => ({ shapes: new Map([['x', [1, channels, 5, 5]]]) });
  expect(inspect(await openArtifact(path, shapes(3)))).toMatchObject({ macs: 300, macsUnknown: null });
  expect(inspect(await openArtifact(path, shapes(4)))).toMatchObject({
    macs: null,
    macsUnknown: expect.stringMatching(/^y: Conv: expected 3 input channels .*found 4/),
  });
});

test('all inputs with free extents are named', async () => {
  expect(inspect(await openArtifact(sequenceModel()))).toMatchObject({
    macsUnknown: 'inputs a, gate have free extents; give --shape a=1,T,6 --shape gate=1,T,4',
    inputs: [
      { name: 'a', sampleAxis: 0, next: null },
      { name: 'gate', sampleAxis: 0, next: null },
    ],
  });
});

describeWithCases('cases of free extents', () => {
  works('sym_anon', () => {
    const [x] = readNpz(readFileSync(casePath('sym_anon.npz')), 'sym_anon.npz').values();
    const first = { ...x, dims: [8, ...x.dims.slice(1)], bytes: x.bytes.subarray(0, (x.bytes.length * 8) / x.dims[0]) };
    return {
      path: casePath('sym_anon.onnx'),
      data: put('sym_anon.npz', writeNpz(new Map([['x', first]]))),
      shapes: { x: [1, 3, 12, 12] },
      macs: 12 * 12 * 8 * 27 + 40,
    };
  });

  test('resize-nearest-scale-0.7: 7 pixels of 10', async () => {
    const { outputs } = inspect(await openArtifact(casePath('resize-nearest-scale-0.7.onnx')));
    expect(outputs[0].shape!.slice(1)).toEqual([3, 22, 7]);
  });

  test('free_hw: weights in Constant nodes are parameters', async () => {
    expect(inspect(await openArtifact(casePath('free_hw.onnx')))).toMatchObject({ parameters: 432, macs: null });
    const shapes = { x: [1, 3, 20, 30] };
    expect(inspect(await openArtifact(casePath('free_hw.onnx'), shapesOf({ shapes })))).toMatchObject({
      parameters: 432,
      macs: 20 * 30 * 432,
    });
  });
});
