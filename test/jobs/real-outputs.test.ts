import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import type { Box } from '../../lib/core/outputs/non-maximum-suppression';
import type { DecodedThreshold } from '../../lib/core/outputs/threshold';
import { fitOf } from '../../lib/core/picture-fit';
import { type PreprocessSpec, parsePreprocess, preprocess } from '../../lib/core/preprocess';
import { decodeImage } from '../../lib/data/image';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { type RunOptions, runOnce } from '../../lib/jobs/run';
import { openReference } from '../../lib/reference/session';
import { decoded } from '../core/outputs/decode';
import { dataPath, describeWithData, describeWithPictures, describeWithZoo, picturePath, ZOO_DIR } from '../data';

let folder: string;
const path = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-outputs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a network says of a sample. */
async function meaning(
  file: string,
  { outputs, shapes = {}, ...options }: RunOptions & { outputs: object; shapes?: Record<string, number[]> },
) {
  const artifact = await openArtifact(file, { shapes: new Map(Object.entries(shapes)), outputs });
  return (await runOnce(artifact, options)).meaning?.decoded;
}

/** Overlap of a found box with where the thing is, in pixels of the picture. */
function expectBox(found: Box, expected: Box, pixels: number): void {
  for (const edge of ['left', 'top', 'right', 'bottom'] as const)
    expect(Math.abs(found[edge] - expected[edge])).toBeLessThanOrEqual(pixels);
}

const YOLO: PreprocessSpec = parsePreprocess({
  size: [320, 320],
  resize: 'letterbox',
  align: 'start',
  pad: 0,
  scale: 1 / 255,
});

describeWithPictures('detectors and readers that people ship', () => {
  const detect = (input: string, spec = YOLO) =>
    meaning(join(ZOO_DIR, 'nudenet__320n.onnx'), {
      executor: 'onnxruntime',
      shapes: { images: [1, 3, 320, 320] },
      outputs: { kind: 'boxes', layout: 'yolov8' },
      input: picturePath(input),
      preprocess: spec,
    });

  test.each<[what: string, resize: Partial<PreprocessSpec>]>([
    ['in the corner', {}],
    ['in the middle', { align: 'center', pad: 114 }],
    ['stretched', { resize: 'stretch' }],
    ['cropped', { resize: 'crop' }],
  ])('YOLOv8 finds the one face, %s', async (_, resize) => {
    const { align, pad, ...rest } = YOLO;
    const spec = parsePreprocess({ ...rest, ...(resize.resize ? {} : { align, pad }), ...resize });
    const found = await detect('astronaut.png', spec);
    expect(found).toMatchObject({
      picture: { width: 512, height: 512 },
      boxes: [{ label: 'FACE_FEMALE', score: expect.any(Number) }],
    });
    if (found?.kind === 'boxes') expectBox(found.boxes[0], { left: 173, top: 83, right: 274, bottom: 180 }, 12);
  });

  test('YOLOv8 finds nothing in gravel', async () => {
    expect(await detect('gravel.png')).toMatchObject({ boxes: [] });
  });

  /** A part of the scanned page as a picture of its own, turned by half if wanted. */
  function cut([left, top, right, bottom]: readonly [number, number, number, number], turned = false): string {
    const page = decodeImage(readFileSync(picturePath('page.png')), 'page.png');
    const png = new PNG({ width: right - left, height: bottom - top });
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const pixel = page.rgb.subarray(3 * (y * page.width + x), 3 * (y * page.width + x) + 3);
        const at = (y - top) * png.width + x - left;
        png.data.set([...pixel, 255], 4 * (turned ? png.width * png.height - 1 - at : at));
      }
    writeFileSync(path('line.png'), PNG.sync.write(png));
    return path('line.png');
  }

  /** How PP-OCR takes a line of text. */
  const lineOf = (width: number) =>
    parsePreprocess({
      ...{ size: [48, width], resize: 'letterbox', align: 'start', pad: 128 },
      ...{ channels: 'BGR', mean: 127.5, std: 127.5 },
    });
  const HEADING = [0, 4, 300, 42] as const;

  test.each([false, true])('PP-OCR tells whether a line is upside down: %s', async (turned) => {
    const found = await meaning(join(ZOO_DIR, 'rapidocr_onnxruntime__ch_ppocr_mobile_v2.0_cls_infer.onnx'), {
      executor: 'onnxruntime',
      shapes: { x: [1, 3, 48, 192] },
      outputs: { kind: 'classes', labels: ['upright', 'upside down'], top: 1 },
      input: cut(HEADING, turned),
      // Long lines are squeezed.
      preprocess: { ...lineOf(192), resize: 'stretch' },
    });
    expect(found).toMatchObject({ classes: [{ label: turned ? 'upside down' : 'upright' }] });
  });

  test.each<[text: string, place: readonly [number, number, number, number]]>([
    ['Region-based segmentation', HEADING],
    ['Let us first determine markers of the coins and the', [0, 46, 384, 70]],
  ])('PP-OCR reads "%s"', async (text, place) => {
    const found = await meaning(join(ZOO_DIR, 'rapidocr_onnxruntime__ch_PP-OCRv4_rec_infer.onnx'), {
      executor: 'onnxruntime',
      shapes: { x: [1, 3, 48, 640] },
      outputs: { kind: 'ctc' },
      input: cut(place),
      preprocess: lineOf(640),
    });
    expect(found).toEqual({ kind: 'ctc', text, score: expect.any(Number) });
    if (found?.kind === 'ctc') expect(found.score).toBeGreaterThan(0.9);
  });
});

describeWithData('faces', () => {
  const FACES = dataPath('models', 'ultraface_rfb_320.onnx');
  const SPEC = parsePreprocess({ size: [240, 320], mean: 127, std: 128 });
  const shared = { boxes: 'boxes', scores: 'scores', scoreThreshold: 0.7, iouThreshold: 0.3, labels: ['', 'face'] };
  const anchors = [
    { stride: 8, sizes: [10, 16, 24] },
    { stride: 16, sizes: [32, 48] },
    { stride: 32, sizes: [64, 96] },
    { stride: 64, sizes: [128, 192, 256] },
  ];
  const detect = (input: string) =>
    meaning(FACES, {
      executor: 'onnxruntime',
      outputs: { kind: 'boxes', layout: 'corners', ...shared },
      input: dataPath('data', 'faces', input),
      preprocess: SPEC,
    });

  test('UltraFace finds two where there are two, and a group where there is one', async () => {
    const two = await detect('13.jpg');
    expect(two).toMatchObject({ picture: { width: 450, height: 344 }, boxes: [{ label: 'face' }, { label: 'face' }] });
    if (two?.kind === 'boxes') expectBox(two.boxes[0], { left: 91, top: 18, right: 155, bottom: 103 }, 3);
    const group = await detect('1.jpg');
    expect(group?.kind === 'boxes' && group.boxes.length).toBeGreaterThan(30);
  });

  test('our anchors say the same as those inside of the network', async () => {
    const { graph } = requireModel(await openArtifact(FACES), 'test');
    // What it makes scores and boxes of: logits and offsets.
    const logits = graph.nodes.find(({ outputs }) => outputs.includes('scores'))!.inputs[0];
    const sliced = graph.nodes.filter(({ op }) => op === 'Slice').map(({ inputs }) => inputs[0]);
    const offsets = sliced.find((name) =>
      graph.nodes.some(({ op, outputs }) => op === 'Concat' && outputs[0] === name),
    )!;
    await using session = await openReference(graph, { alsoFetch: [logits, offsets] });
    const picture = decodeImage(readFileSync(dataPath('data', 'faces', '13.jpg')), '13.jpg');
    const pixels = tensorFrom('float32', [1, 3, 240, 320], [...preprocess(picture, SPEC)]);
    const feeds = new Map([[graph.inputs[0], pixels]]);
    const found = await session.run(feeds, [logits, offsets, 'scores', 'boxes']);
    expect(found.get(offsets)!.dims).toEqual([1, 4420, 4]);
    const sight = { size: SPEC.size, fit: fitOf(picture, SPEC) };
    const given = (name: string, as: string) => {
      const tensor = found.get(name)!;
      return [as, tensor.dims, toNumbers(tensor)] as const;
    };
    const ours = decoded(
      { kind: 'boxes', layout: 'ssd', ...shared, anchors, activation: 'softmax' },
      [given(offsets, 'boxes'), given(logits, 'scores')],
      { sight },
    );
    const theirs = decoded(
      { kind: 'boxes', layout: 'corners', ...shared },
      [given('boxes', 'boxes'), given('scores', 'scores')],
      { sight },
    );
    expect(theirs.boxes).toHaveLength(2);
    expect(ours.boxes).toHaveLength(2);
    ours.boxes.forEach((box, index) => {
      expectBox(box, theirs.boxes[index], 1e-3);
      expect(box.score).toBeCloseTo(theirs.boxes[index].score, 5);
    });
  });
});

describeWithData('pictures', () => {
  describeWithPictures('of a cat', () => {
    test('SqueezeNet sees a cat', async () => {
      const found = await meaning(dataPath('models', 'squeezenet1_1_imagenet.onnx'), {
        outputs: { kind: 'classes', activation: 'softmax', top: 1000 },
        input: picturePath('chelsea.png'),
        preprocess: parsePreprocess({ size: [224, 224], resize: 'crop', channels: 'BGR', mean: [104, 117, 123] }),
      });
      const classes = found?.kind === 'classes' ? found.classes : [];
      expect(classes).toHaveLength(1000);
      expect(classes.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
      // Domestic cats of ImageNet are classes 281 to 285.
      const cats = classes.filter(({ class: index }) => index >= 281 && index <= 285);
      expect(cats.reduce((sum, { score }) => sum + score, 0)).toBeGreaterThan(0.8);
    });
  });
});

/** Samples of a 16-bit WAV file, -1 to 1. */
function samplesOf(file: string): Float32Array {
  const bytes = readFileSync(file);
  const start = bytes.indexOf('data') + 8;
  return Float32Array.from({ length: (bytes.length - start) >> 1 }, (_, k) => bytes.readInt16LE(start + 2 * k) / 32768);
}

describeWithData('voice', () => {
  describeWithZoo('activity', () => {
    test.each(['3_theo_4.wav', '1_nicolas_1.wav', '7_jackson_3.wav'])(
      'Silero hears %s, and not the silence around it',
      async (file) => {
        const { graph } = requireModel(await openArtifact(join(ZOO_DIR, 'silero_vad__silero_vad.onnx')), 'test');
        await using session = await openReference(graph);
        const voice = samplesOf(dataPath('data', 'fsdd_wav', file));
        // 8 kHz in steps of 256 samples, each behind the last 32 of the one before: half a second of silence on both sides.
        const [step, context, silence] = [256, 32, 4096];
        const sound = new Float32Array(context + 2 * silence + Math.ceil(voice.length / step) * step);
        sound.set(voice, context + silence);
        let state = tensorFrom('float32', [2, 1, 128], Array<number>(256).fill(0));
        let before: DecodedThreshold | undefined;
        let on = '';
        for (let start = 0; start + context + step <= sound.length; start += step) {
          const input = tensorFrom('float32', [1, context + step], [...sound.subarray(start, start + context + step)]);
          const sr = tensorFrom('int64', [], [8000]);
          const found = await session.run(
            new Map([
              ['input', input],
              ['state', state],
              ['sr', sr],
            ]),
          );
          state = found.get('stateN')!;
          const score = found.get('output')!;
          const spec = { kind: 'threshold', on: 0.5, off: 0.35, minOn: 2, minOff: 4 } as const;
          before = decoded(spec, [['output', score.dims, toNumbers(score)]], { before });
          on += before.on ? '#' : '.';
        }
        expect(on).toMatch(/^\.{16,}#{4,}\.{4,}$/);
      },
    );
  });
});
