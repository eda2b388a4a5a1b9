import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { parsePreprocess } from '../../lib/core/preprocess';
import { GraphBuilder } from '../../lib/ir/builder';
import { elementCount, tensorFrom } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import { makePlan, requireModel } from '../../lib/jobs/make-plan';
import { compressByRecipe } from '../../lib/jobs/recipe/recipe';
import { parseRecipe } from '../../lib/jobs/recipe/recipe-file';
import { openSamples } from '../../lib/jobs/samples';
import { measureSensitivity } from '../../lib/jobs/sensitivity';
import { trainModel } from '../../lib/jobs/train';
import { writeModel } from '../../lib/onnx/write-model';
import { casePath, describeWithCases } from '../data';
import { npzOf, toyFolder, toySamples } from './toy';

let folder: string;
beforeAll(() => {
  folder = toyFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const toy = async () => requireModel(await openArtifact(path('toy.onnx')), 'test');

const SETTINGS = {
  epochs: 1,
  batchSize: 8,
  learningRate: 0.01,
  schedule: 'cosine',
  optimizer: 'sgd',
  weightDecay: 0,
  labelSmoothing: 0,
  clipShare: 0.2,
  augment: { shift: 0, flip: false },
  seed: 1,
} as const;

/** Every verb that reads labels, on a model with three classes. */
const READERS: Readonly<Record<string, (data: string) => Promise<unknown>>> = {
  eval: async (data) => evaluateArtifact(await toy(), { data }),
  'eval of a plan': async (data) => {
    writeFileSync(path('toy.plan'), (await makePlan(await toy())).plan);
    return evaluateArtifact(await openArtifact(path('toy.plan')), { data });
  },
  sensitivity: async (data) => measureSensitivity(await toy(), { data, samples: 8, bits: [4], sparsities: [0.5] }),
  train: async (data) => trainModel(await toy(), { data, target: path('trained.onnx'), settings: SETTINGS }),
  'a recipe': async (data) => {
    const recipe = parseRecipe({ data: { training: data }, steps: [{ quantize: {} }] });
    const source = { recipe, folder, place: '' };
    return compressByRecipe(await toy(), { source, target: path('recipe.onnx') });
  },
};

describe.each(Object.entries(READERS))('%s', (_, read) => {
  test.each([
    ['from 1', [1, 2, 3], /labels from 0 to 2, one for each number of output 'logits', found labels from 1 to 3/],
    ['from -1', [-1, 0, 1], /found labels from -1 to 1/],
    ['of other classes', [0, 1, 900], /found labels from 0 to 900/],
  ] as const)('refuses labels %s', async (name, labels, message) => {
    const data = path(`labels-${name}.npz`);
    const samples = toySamples(60, 4);
    writeFileSync(
      data,
      npzOf(
        samples,
        samples.map((_sample, index) => labels[index % 3]),
      ),
    );
    await expect(read(data)).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringMatching(message),
    });
  });
});

describeWithCases('labels_from_one', () => {
  test('eval refuses', async () => {
    const artifact = await openArtifact(casePath('labels_from_one.onnx'));
    await expect(evaluateArtifact(artifact, { data: casePath('labels_from_one.npz') })).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringContaining('expected labels from 0 to 4'),
    });
  });
});

test('pictures need a preprocessing once: the compressed model and its plan carry it', async () => {
  const pictures = mkdtempSync(join(tmpdir(), 'hone-pictures-'));
  for (const name of ['cat', 'dog']) {
    mkdirSync(join(pictures, name));
    for (let index = 0; index < 4; index++) {
      const data = Buffer.from(Array.from({ length: 256 * 4 }, (_, k) => (k * 7 + index * 31 + name.length) % 256));
      writeFileSync(join(pictures, name, `${index}.jpg`), jpeg.encode({ width: 16, height: 16, data }, 90).data);
    }
  }
  const builder = new GraphBuilder();
  const draw = (...dims: number[]) =>
    tensorFrom(
      'float32',
      dims,
      Array.from({ length: elementCount(dims) }, (_, k) => Math.sin(k)),
    );
  const x = builder.input('x', 'float32', ['N', 3, 'H', 'W']);
  const hidden = builder.node('Relu', [builder.node('Conv', [x, builder.initializer(draw(4, 3, 3, 3), 'k')])]);
  const pooled = builder.node('Flatten', [builder.node('GlobalAveragePool', [hidden])]);
  builder.output(builder.node('Gemm', [pooled, builder.initializer(draw(4, 2), 'w')], {}, { outputs: ['y'] }));
  builder.setMetadata('imgsz', '[12, 10]');
  writeFileSync(path('picture.onnx'), writeModel(builder.build()));
  try {
    const model = requireModel(await openArtifact(path('picture.onnx')), 'test');
    await expect(openSamples(model, pictures)).rejects.toMatchObject({
      code: 'E_PREPROCESS',
      hint: expect.stringContaining('"size":[12,10]'),
    });
    const preprocess = parsePreprocess({ size: [12, 10], scale: 1 / 255 });
    const { graph } = await compress(model, { data: pictures, preprocess });
    writeFileSync(path('picture.int8.onnx'), writeModel(graph));
    const small = await openArtifact(path('picture.int8.onnx'));
    writeFileSync(path('picture.plan'), (await makePlan(small)).plan);
    for (const artifact of [small, await openArtifact(path('picture.plan'))]) {
      const { dataset } = await openSamples(artifact, pictures);
      expect(dataset.inputs.get('x')!.dims).toEqual([3, 12, 10]);
      const given = (await openSamples(artifact, pictures, { preprocess })).dataset;
      for await (const batch of dataset.batches({ size: 8 }))
        for await (const other of given.batches({ size: 8 })) expect(batch).toEqual(other);
      expect(await evaluateArtifact(artifact, { data: pictures })).toMatchObject({ samples: 8 });
    }
  } finally {
    rmSync(pictures, { recursive: true });
  }
});
