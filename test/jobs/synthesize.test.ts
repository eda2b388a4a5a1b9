import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { type ModelArtifact, openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { synthesize } from '../../lib/jobs/synthesize';
import { writeFileAtomically } from '../../lib/jobs/write-file';
import { writeModel } from '../../lib/onnx/write-model';
import { uniform } from '../ops/op-case';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-synthesize-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function model(name: string, normalized: boolean): Promise<ModelArtifact> {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 2, 6, 6]);
  const sums = builder.node('Conv', [x, builder.initializer(uniform([4, 2, 3, 3]), 'weight')]);
  const statistics = [
    [1, 2, 1, 0.5],
    [0, 1, 0, 0],
    [0.3, -0.2, 0.1, 0],
    [0.5, 2, 1, 0.7],
  ].map((values) => builder.initializer(tensorFrom('float32', [4], values)));
  const y = normalized ? builder.node('BatchNormalization', [sums, ...statistics]) : sums;
  builder.output(builder.node('GlobalAveragePool', [builder.node('Relu', [y])]), 'float32', ['N', 4, 1, 1]);
  const path = join(folder, name);
  await writeFileAtomically(path, writeModel(builder.build()));
  return (await openArtifact(path)) as ModelArtifact;
}

test('made samples fit the model and serve to quantize it', async () => {
  const float = await model('normalized.onnx', true);
  const target = join(folder, 'made.npz');
  const { loss, count, path } = await synthesize(float, { images: { count: 24, steps: 40 }, target });
  expect({ count, path }).toEqual({ count: 24, path: target });
  expect(loss.after).toBeLessThan(loss.before / 2);
  const made = await openDataset(target, { inputs: expectedInputs(float.graph) });
  expect(made.count).toBe(24);
  expect(made.hasLabels).toBe(false);
  const { report } = await compress(float, { data: target });
  expect(report.layers.map(({ op }) => op)).toEqual(['Conv']);
});

test('a model without statistics is refused, nothing is written', async () => {
  const target = join(folder, 'none.npz');
  await expect(synthesize(await model('plain.onnx', false), { images: {}, target })).rejects.toMatchObject({
    code: 'E_GRAPH_INVALID',
  });
  expect(existsSync(target)).toBe(false);
});

test('options are checked', async () => {
  const float = await model('options.onnx', true);
  const run = (images: Record<string, unknown>) => synthesize(float, { images, target: join(folder, 'never.npz') });
  await expect(run({ stepz: 3 })).rejects.toMatchObject({ code: 'E_OPTION_UNKNOWN' });
  await expect(run({ steps: 0 })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});
