import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { hone } from './hone';

describe('a model of which runs decide how much it gives', () => {
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'hone-counted-'));
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [6, 4]);
    const some = b.initializer(tensorFrom('bool', [6], [1, 0, 1, 1, 0, 0]));
    b.output(b.node('Compress', [x, some], { axis: 0 }, { outputs: ['rows'] }));
    b.output(b.node('NonZero', [b.node('Relu', [x])], {}, { outputs: ['places'] }));
    writeFileSync(join(cwd, 'm.onnx'), writeModel(b.build()));
  });
  afterAll(() => rmSync(cwd, { recursive: true }));

  test('run prints what is there, of model and plan; inspect the most there can be', async () => {
    type Printed = Record<'rows' | 'places', { shape: number[]; data: number[] }>;
    const reference = await hone(['run', 'm.onnx', '--executor', 'onnxruntime', '--json'], { cwd });
    const expected = reference.json<Printed>();
    expect(expected.rows.shape).toEqual([3, 4]);
    const [, count] = expected.places.shape;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(24);
    expect((await hone(['compile', 'm.onnx', '--out', 'm.plan'], { cwd })).code).toBe(0);
    for (const file of ['m.onnx', 'm.plan']) {
      expect((await hone(['run', file, '--json'], { cwd })).json()).toEqual(expected);
      const { stdout } = await hone(['run', file], { cwd });
      expect(stdout).toMatch(new RegExp(`^places: int64 \\[2, ${count}\\].*\\n.*\\(${2 * count} values\\)`, 'm'));
    }
    const { stdout } = await hone(['inspect', 'm.plan'], { cwd });
    expect(stdout).toMatch(/^output {2}places: int64 \[2, <=24\]$/m);
  });
});
