import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { parsePreprocess } from '../../lib/core/preprocess';
import { writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import { packStrings } from '../../lib/ir/strings';
import { tensorFrom } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { makePlan, requireModel } from '../../lib/jobs/make-plan';
import { type RunOptions, runOnce } from '../../lib/jobs/run';
import { writeModel } from '../../lib/onnx/write-model';

let folder: string;
const path = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-outputs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a file says of a sample, by a spec that is given or that the file carries. */
async function meaning(file: string, { outputs, ...options }: RunOptions & { outputs?: object }) {
  return (await runOnce(await openArtifact(file, { outputs }), options)).meaning?.decoded;
}

/** y [N, 3] = x [N, 3] * scale, on the engine in float and int8. */
function scaler(metadata: Record<string, string> = {}): Uint8Array {
  const builder = new GraphBuilder();
  const weights = builder.initializer(tensorFrom('float32', [3, 3], [2, 0, 0, 0, 2, 0, 0, 0, 2]), 'w');
  builder.output(
    builder.node('Gemm', [builder.input('x', 'float32', ['N', 3]), weights], {}, { outputs: ['y'] }),
    'float32',
    ['N', 3],
  );
  for (const [key, value] of Object.entries(metadata)) builder.setMetadata(key, value);
  return writeModel(builder.build());
}

describe('a spec', () => {
  const SAMPLES = [
    [1, 2, 4],
    [4, 2, 1],
    [0, 0, 1],
    [8, 1, 0],
  ];

  beforeAll(() => {
    writeFileSync(path('scaler.onnx'), scaler());
    const x = tensorFrom('float32', [SAMPLES.length, 3], SAMPLES.flat());
    writeFileSync(path('x.npz'), writeNpz(new Map([['x', x]])));
  });

  test('is given once: compressed models and plans carry it', async () => {
    const labels = ['a', 'b', 'c'];
    const outputs = { kind: 'classes', labels, top: 2 };
    const model = requireModel(await openArtifact(path('scaler.onnx'), { outputs }), 'test');
    writeFileSync(path('small.onnx'), writeModel((await compress(model, { data: path('x.npz') })).graph));
    const small = await openArtifact(path('small.onnx'));
    writeFileSync(path('small.plan'), (await makePlan(small)).plan);
    writeFileSync(path('float.plan'), (await makePlan(model)).plan);
    for (const file of ['small.onnx', 'small.plan', 'float.plan']) {
      const found = await meaning(path(file), { input: path('x.npz'), sample: 1 });
      expect(found).toEqual({
        kind: 'classes',
        classes: [
          { class: 0, label: 'a', score: expect.closeTo(8, 0) },
          { class: 1, label: 'b', score: expect.closeTo(4, 0) },
        ],
      });
      // Another takes its place, in models and in plans.
      const other = { kind: 'threshold', index: 2, on: 0.5 };
      expect(await meaning(path(file), { input: path('x.npz'), outputs: other })).toMatchObject({ on: true });
    }
    expect(await meaning(path('scaler.onnx'), { input: path('x.npz') })).toBeUndefined();
  });

  test('a threshold goes on from the samples before', async () => {
    const outputs = { kind: 'threshold', on: 1, off: 0.5, minOn: 2 };
    const found = [];
    for (const sample of SAMPLES.keys())
      found.push(await meaning(path('scaler.onnx'), { input: path('x.npz'), sample, outputs }));
    expect(found).toMatchObject([
      { on: false, score: 2, samples: 1 },
      { on: true, score: 8, samples: 1 },
      { on: false, score: 0, samples: 1 },
      { on: false, score: 16, against: 1, samples: 2 },
    ]);
  });

  test('random inputs have a meaning, too', async () => {
    expect(await meaning(path('scaler.onnx'), { outputs: { kind: 'classes' } })).toMatchObject({
      classes: { length: 3 },
    });
  });

  test('takes labels and characters that the file notes, unless it has its own', async () => {
    writeFileSync(path('named.onnx'), scaler({ names: `{0: 'cat', 1: "hen's egg", 2: 'dog'}`, character: '!\n\\n?' }));
    writeFileSync(path('lines.onnx'), scaler({ names: `{1: 'cat', 0: 'dog'}`, character: '!\n' }));
    const names = async (file: string, rest = {}) => {
      const found = await meaning(path(file), { input: path('x.npz'), outputs: { kind: 'classes', ...rest } });
      return found?.kind === 'classes' && found.classes.map(({ label }) => label);
    };
    expect(await names('named.onnx')).toEqual(['dog', "hen's egg", 'cat']);
    expect(await names('named.onnx', { labels: ['a', 'b', 'c'] })).toEqual(['c', 'b', 'a']);
    expect(await names('lines.onnx')).toEqual([undefined, undefined, undefined]);
    const read = { input: path('x.npz'), outputs: { kind: 'ctc', axes: 'NTC' } };
    expect(await meaning(path('lines.onnx'), read)).toMatchObject({ text: ' ' });
  });

  test.each<[outputs: object, message: RegExp]>([
    [{ kind: 'classes', output: 'z' }, /outputs\.output: expected an output of numbers \(y\), found 'z'/],
    [{ kind: 'classes', labels: ['a'] }, /outputs\.labels: .*not 1, found 'y of \[1, 3\]'/],
    [{ kind: 'ctc', alphabet: 'abc' }, /outputs\.alphabet/],
    [{ kind: 'ctc' }, /outputs\.alphabet: .*nothing/],
    [{ kind: 'threshold', index: 3 }, /outputs\.index/],
    [{ kind: 'class' }, /outputs\.kind/],
  ])('%j is refused when the file is opened', async (outputs, message) => {
    writeFileSync(path('scaler.plan'), (await makePlan(await openArtifact(path('scaler.onnx')))).plan);
    for (const file of ['scaler.onnx', 'scaler.plan'])
      await expect(openArtifact(path(file), { outputs })).rejects.toMatchObject({
        code: 'E_OPTION_VALUE',
        message: expect.stringMatching(message),
      });
  });

  test('texts among the outputs are left alone', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', ['N', 3]);
    const text = { type: 'string', dims: [1], bytes: packStrings(['cat']) } as const;
    builder.output(
      builder.node('Identity', [builder.initializer(text, 't')], {}, { outputs: ['name'] }),
      'string',
      [1],
    );
    builder.output(builder.node('Relu', [x], {}, { outputs: ['y'] }), 'float32', ['N', 3]);
    writeFileSync(path('texts.onnx'), writeModel(builder.build()));
    const options = { executor: 'onnxruntime', input: path('x.npz') } as const;
    const found = await meaning(path('texts.onnx'), { ...options, outputs: { kind: 'classes', top: 1 } });
    expect(found).toEqual({ kind: 'classes', classes: [{ class: 2, score: 4 }] });
    await expect(meaning(path('texts.onnx'), { outputs: { kind: 'classes', output: 'name' } })).rejects.toMatchObject({
      message: expect.stringMatching(/outputs\.output: expected an output of numbers \(y\), found 'name'/),
    });
  });

  test('boxes need a picture, which the first sample tells where the file does not', async () => {
    const outputs = { kind: 'boxes', layout: 'yolov8' };
    await expect(meaning(path('scaler.onnx'), { outputs })).rejects.toMatchObject({
      code: 'E_OPTION_VALUE',
      message: expect.stringMatching(/outputs\.kind: .*picture/),
    });
  });
});

test('a preprocessing is carried without samples, and by plans', async () => {
  const builder = new GraphBuilder();
  builder.output(builder.node('Relu', [builder.input('x', 'float32', ['N', 3, 2, 2])], {}, { outputs: ['y'] }));
  writeFileSync(path('relu.onnx'), writeModel(builder.build()));
  const preprocess = parsePreprocess({ size: [2, 2], scale: 1 / 255 });
  const { plan } = await makePlan(await openArtifact(path('relu.onnx'), { preprocess }));
  writeFileSync(path('relu.plan'), plan);
  const png = new PNG({ width: 4, height: 4 });
  writeFileSync(path('white.png'), PNG.sync.write(Object.assign(png, { data: Buffer.alloc(64, 255) })));
  const { outputs } = await runOnce(await openArtifact(path('relu.plan')), { input: path('white.png') });
  expect(outputs.get('y')).toMatchObject({ dims: [1, 3, 2, 2] });
});
