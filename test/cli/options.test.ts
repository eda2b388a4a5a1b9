import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConsole } from '../../lib/cli/console';
import { openModel } from '../../lib/cli/flags';
import { GraphBuilder } from '../../lib/ir/builder';
import { declaredSampleAxes } from '../../lib/ir/sample-axes';
import { declaredStates } from '../../lib/ir/states';
import { requireModel } from '../../lib/jobs/make-plan';
import { writeModel } from '../../lib/onnx/write-model';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-options-'));
  path = join(folder, 'model.onnx');
  const builder = new GraphBuilder();
  const h = builder.input('a=b', 'float32', ['N', 'T']);
  builder.output(builder.node('Neg', [builder.input('x', 'float32', ['N', 'T'])], {}, { outputs: ['y'] }), 'float32', [
    'N',
    'T',
  ]);
  builder.output(builder.node('Abs', [h], {}, { outputs: ['c'] }), 'float32', ['N', 'T']);
  writeFileSync(path, writeModel(builder.build()));
});
afterAll(() => rmSync(folder, { recursive: true }));
const open = async (options: Parameters<typeof openModel>[1]) =>
  requireModel(await openModel(path, options, openConsole(true, new AbortController().signal)), 'test').graph;

test('options say shapes, sample axes and states, once per input; names may hold any sign', async () => {
  const shaped = await open({ shape: ['x=1,7', 'a=b=1,7'] });
  expect([shaped.values.get('x')!.shape, shaped.values.get('a=b')!.shape]).toEqual([
    ['N', 7],
    ['N', 7],
  ]);
  const { metadata } = await open({ batchAxis: ['x=1', 'a=b=none'], state: ['a=b=c'] });
  expect(declaredSampleAxes(metadata)).toEqual(
    new Map<string, unknown>([
      ['x', 1],
      ['a=b', 'none'],
    ]),
  );
  expect(declaredStates(metadata)).toEqual(new Map([['a=b', 'c']]));
  expect((await open({})).values.get('x')!.shape).toEqual(['N', 'T']);
});

test.each<[string, Parameters<typeof openModel>[1], RegExp]>([
  ['no extents', { shape: ['x'] }, /option --shape: expected an input and its extents, as in x=1,3,320,320, found 'x'/],
  ['an extent of 0', { shape: ['x=1,0'] }, /found 'x=1,0'/],
  ['an extent that is no number', { shape: ['x=1,T'] }, /found 'x=1,T'/],
  ['an input twice', { shape: ['x=1,2', 'x=1,2'] }, /expected x once/],
  ['an axis that is no number', { batchAxis: ['x=last'] }, /--batch-axis: expected an input and an axis/],
  [
    'an axis beyond the rank',
    { batchAxis: ['x=2'] },
    /expected an axis of x \[N, T\], counted from 0, or none, found 'x=2'/,
  ],
  ['an axis of no input', { batchAxis: ['z=0'] }, /expected an input \(x, a=b|expected an input \(a=b, x/],
  ['a state without an output', { state: ['x='] }, /--state: expected an input and an output/],
])('refuses %s', async (_, options, message) => {
  await expect(open(options)).rejects.toMatchObject({
    code: 'E_OPTION_VALUE',
    message: expect.stringMatching(message),
  });
});
