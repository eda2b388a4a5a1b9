import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileVerb } from '../../lib/cli/verbs-compile';
import { inspectVerb } from '../../lib/cli/verbs-inspect';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { printed } from './printed';

const folder = mkdtempSync(join(tmpdir(), 'hone-trace-'));
const path = join(folder, 'model.onnx');
/** The same without what the engine has no float kernel for. */
const plain = join(folder, 'plain.onnx');
const before = process.env.HONE_TRACE;
function write(path: string, gated: boolean): void {
  const b = new GraphBuilder();
  const bias = b.initializer(tensorFrom('float32', [1, 2, 1, 1], [1, 2]), 'bias');
  const w = b.initializer(tensorFrom('float32', [2, 1, 1, 1], [3, 4]), 'w');
  const x = b.node('Identity', [b.input('x', 'float32', [1, 1, 4, 4])], {}, { name: 'same' });
  const sum = b.node('Add', [b.node('Conv', [x, w], {}, { name: 'conv' }), bias], {}, { name: 'add' });
  const swish = () => b.node('Mul', [sum, b.node('Sigmoid', [sum], {}, { name: 'gate' })], {}, { name: 'swish' });
  b.output(gated ? swish() : sum, 'float32', [1, 2, 4, 4]);
  writeFileSync(path, writeModel(b.build()));
}
beforeAll(() => {
  write(path, true);
  write(plain, false);
});
afterEach(() => {
  if (before === undefined) delete process.env.HONE_TRACE;
  else process.env.HONE_TRACE = before;
});
afterAll(() => rmSync(folder, { recursive: true }));

const TRACED = ['remove-identity: same', 'absorb-bias: add, conv'];

test('inspect --verbose counts rewrites and names what it recognised', async () => {
  const lines = await printed(inspectVerb, path, { verbose: true });
  expect(lines.filter((line) => /^(rewrites|recognized) /.test(line))).toEqual([
    'rewrites    remove-identity 1, absorb-bias 1',
    'recognized  silu 1',
    'recognized  silu: gate, swish',
  ]);
  expect(lines).not.toContain(TRACED[0]);
  expect((await printed(inspectVerb, path)).join('\n')).not.toMatch(/rewrites|recognized/);
});

test('HONE_TRACE=passes names every rewrite as it happens', async () => {
  process.env.HONE_TRACE = 'passes';
  expect((await printed(inspectVerb, path)).slice(0, 2)).toEqual(TRACED);
  expect((await printed(compileVerb, plain, { out: join(folder, 'model.plan') })).slice(0, 2)).toEqual(TRACED);
});

test('a misspelled HONE_TRACE is refused', async () => {
  process.env.HONE_TRACE = 'passes,plans';
  await expect(printed(inspectVerb, path)).rejects.toMatchObject({
    code: 'E_OPTION_VALUE',
    message: "option HONE_TRACE: expected passes, found 'plans'",
  });
});
