import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { casePath, describeWithCases } from '../data';
import { hone } from './hone';

describeWithCases('models with other types than float32', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hone-types-'));
    for (const name of ['fp16_w_cast.onnx', 'fp16_w_cast.npz', 'fp16_w_cast.recipe.json', 'string_out.onnx'])
      copyFileSync(casePath(name), join(folder, name));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('fp16_w_cast is converted, which is said, and pruned by a recipe', async () => {
    const words = ['fp16_w_cast.onnx', '--recipe', 'fp16_w_cast.recipe.json', '--out', 'small.onnx'];
    const { code, stdout, stderr } = await hone(['compress', ...words], { cwd: folder });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/float16 is converted to float32/)]);
    expect(stdout).toMatch(/wrote small\.onnx/);
  });

  test('fp16_w_cast runs natively; inspect notes the conversion', async () => {
    const ran = await hone(['run', 'fp16_w_cast.onnx', '--input', 'fp16_w_cast.npz', '--json'], { cwd: folder });
    // Weights of float16 lie between those that the case computed its outputs with.
    const expected = [-0.4603726, -0.3609303, -3.996988, 4.165933, 0.2168298];
    const found = ran.json<{ y: { data: number[] } }>().y.data;
    expect(found.map((value, index) => Math.abs(value - expected[index]) < 0.01)).toEqual(expected.map(() => true));
    const inspected = await hone(['inspect', 'fp16_w_cast.onnx', '--json'], { cwd: folder });
    expect(inspected.json()).toMatchObject({ notes: [{ kind: 'float32-conversion' }], missing: [] });
  });

  test('string_out prints the name that onnxruntime gives', async () => {
    const { code, stdout } = await hone(['run', 'string_out.onnx', '--executor', 'onnxruntime'], { cwd: folder });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/label: string \[1\]\n {2}"[a-e]"\n/)]);
  });
});
