import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codedNetwork } from '../engine/coded-network';
import { hone } from './hone';

test('inspect of a plan shows how it holds the weights of each layer, the largest first', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'hone-weights-'));
  writeFileSync(join(cwd, 'm.plan'), codedNetwork().write());
  const linesOf = async (...words: string[]) => {
    const { stdout } = await hone(['inspect', 'm.plan', ...words], { cwd });
    return stdout.split('\n').filter((line) => line.startsWith('weights '));
  };
  const few = await linesOf();
  expect([few[0], few[6], few.length]).toEqual([
    'weights  codebook-8: codebook of 256 float32, 4.38 kB; 13.4 kB as float32',
    'weights  and 6 more',
    7,
  ]);
  const all = await linesOf('--verbose');
  expect(all).toHaveLength(12);
  expect(all).toContain('weights  codebook-4: codebook of 16 float32, 1.74 kB; 13.4 kB as float32');
  expect(all).toContain('weights  scaled-4-5: 4 bits in groups of 5, 4.37 kB; 13.4 kB as float32');
  expect(all).toContain('weights  narrow: 4 bits, 1.68 kB; 3.36 kB as int8');
  const { stdout } = await hone(['inspect', 'm.plan', '--json'], { cwd });
  expect((JSON.parse(stdout) as { weights: object[] }).weights[0]).toEqual({
    ...{ layer: 'scaled-4-32', op: 'fc_f32', encoding: 'scaled', type: 'float32', bits: 4, group: 32 },
    ...{ bytes: 2256, decodedBytes: 13440 },
  });
  rmSync(cwd, { recursive: true });
});
