import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { type ModelSensitivity, measureSensitivity } from '../../lib/jobs/sensitivity';
import { hone } from '../cli/hone';
import { recipeFolder } from './recipe-folder';
import { LAYERS, npzOf, toySamples } from './toy';

let folder: string;
beforeAll(() => {
  folder = recipeFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function measure(model = 'toy.onnx', data = 'labelled.npz'): Promise<ModelSensitivity> {
  const artifact = requireModel(await openArtifact(join(folder, model)), 'test');
  return measureSensitivity(artifact, { data: join(folder, data), samples: 100, bits: [8, 2], sparsities: [0.5] });
}

test('fewer bits hurt more, and the scores are those of the changed network', async () => {
  const { layers, floatScore, metric, samples } = await measure();
  expect({ floatScore, metric, samples }).toEqual({ floatScore: 1, metric: 'accuracy', samples: 100 });
  expect(layers.map(({ layer, op, weights }) => `${layer} ${op} ${weights}`).sort()).toEqual([
    'hidden Gemm 128',
    'logits Gemm 48',
  ]);
  for (const { trials } of layers) {
    const [eight, two, pruned] = trials;
    expect(trials.map(({ bits, sparsity }) => bits ?? sparsity)).toEqual([8, 2, 0.5]);
    expect(eight.sqnrDb).toBeGreaterThan(two.sqnrDb + 20);
    expect(eight.kl!).toBeLessThan(two.kl!);
    expect(pruned.score!).toBeLessThan(1);
  }
  // The oracle: the first layer without its 64 smallest weights, in plain numbers.
  const order = LAYERS[0].weights
    .map((_, at) => at)
    .sort((a, b) => Math.abs(LAYERS[0].weights[a]) - Math.abs(LAYERS[0].weights[b]));
  const kept = [...LAYERS[0].weights];
  for (const at of order.slice(0, 64)) kept[at] = 0;
  const classOf = (x: readonly number[], weights: readonly number[]) => {
    const [first, second] = LAYERS;
    const hidden = first.biases.map((bias, to) =>
      Math.max(
        0,
        x.reduce((sum, value, from) => sum + value * weights[from * 16 + to], bias),
      ),
    );
    const logits = second.biases.map((bias, to) =>
      hidden.reduce((sum, value, from) => sum + value * second.weights[from * 3 + to], bias),
    );
    return logits.indexOf(Math.max(...logits));
  };
  const inputs = toySamples(400, 9).slice(0, 100);
  const expected = inputs.map((x) => classOf(x, LAYERS[0].weights));
  const found = inputs.map((x) => classOf(x, kept));
  const hits = found.filter((value, at) => value === expected[at]).length;
  expect(layers.find(({ layer }) => layer === 'hidden')!.trials[2].score).toBe(hits / 100);
});

test('without labels the float network is the truth; the verb shows a row per layer', async () => {
  expect(await measure('toy.onnx', 'unlabelled.npz')).toMatchObject({ metric: 'agreement', floatScore: 1 });
  const { code, stdout } = await hone(['sensitivity', 'toy.onnx', '--data', 'labelled.npz'], { cwd: folder });
  expect(stdout).toMatch(
    /^layer +op +weights +8 bits +4 bits +2 bits +50 % zero +80 % zero\n(.+\n){2}each layer alone, 128 samples: points of accuracy lost ± their standard error/,
  );
  expect(code).toBe(0);
});

test('a quantized model is refused', async () => {
  expect((await hone('compress toy.onnx --data calib.npz --out q.onnx'.split(' '), { cwd: folder })).code).toBe(0);
  await expect(measure('q.onnx')).rejects.toMatchObject({ code: 'E_GRAPH_INVALID' });
  const { code, stderr } = await hone('sensitivity q.onnx --data labelled.npz'.split(' '), { cwd: folder });
  expect(stderr).toMatch(/^error option <model>: expected a float model .*q\.onnx, which is quantized.*E_OPTION_VALUE/);
  expect(code).toBe(1);
});

test('samples that are not finite are refused', async () => {
  writeFileSync(join(folder, 'nan.npz'), npzOf([new Array(8).fill(Number.NaN)]));
  await expect(measure('toy.onnx', 'nan.npz')).rejects.toMatchObject({ code: 'E_CALIBRATION' });
});
