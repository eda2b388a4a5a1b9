import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { makePlan } from '../../lib/jobs/make-plan';
import { writeModel } from '../../lib/onnx/write-model';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-make-plan-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a plan of quantized weights alone warns that it holds float ones', async () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 2]);
  const codes = builder.initializer(tensorFrom('int8', [2, 3], [1, -2, 3, 4, 5, -6]), 'codes');
  const scale = builder.initializer(tensorFrom('float32', [], [0.5]), 'scale');
  const weight = builder.node('DequantizeLinear', [codes, scale]);
  builder.output(builder.node('MatMul', [x, weight]), 'float32', ['N', 3]);
  const path = join(folder, 'weights.onnx');
  writeFileSync(path, writeModel(builder.build()));
  const { diagnostics } = await makePlan(await openArtifact(path));
  expect(diagnostics).toEqual([expect.objectContaining({ severity: 'warning', kind: 'float-model' })]);
});
