import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { type Picture, parsePreprocess } from '../../lib/core/preprocess';
import { Rng } from '../../lib/core/rng';
import { parseSoundSpec } from '../../lib/core/sound-spec';
import { writeNpz } from '../../lib/data/npz';
import { RAW_FORMATS, type RawFormatName, rawPictureBytes, readRawPicture } from '../../lib/data/raw-picture';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dim } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { type ArtifactOptions, openArtifact } from '../../lib/jobs/artifact';
import { makePlan } from '../../lib/jobs/make-plan';
import type { BrokenFrameReport } from '../../lib/jobs/read-frames';
import { runOnce } from '../../lib/jobs/run';
import { type StreamAnswer, type StreamOptions, stream } from '../../lib/jobs/stream';
import { writeModel } from '../../lib/onnx/write-model';
import { dataPath, describeWithData, describeWithZoo, ZOO_DIR } from '../data';
import { pictureModel, SPEC } from '../picture-model';

let folder: string;
const path = (name: string) => join(folder, name);
const rng = new Rng(21);
const random = (count: number) => Array.from({ length: count }, () => Math.fround(rng.normal()));
const randomBytes = (length: number) => Uint8Array.from({ length }, () => rng.integer(0, 255));

/** y = hn V, hn = relu(x W + h U), over windows of samples; `rate` tells the rate, too. */
function soundModel(window: Dim, metadata: Record<string, object> = {}, names = ['h', 'hn']): Uint8Array {
  const builder = new GraphBuilder();
  const constant = (...dims: number[]) => builder.initializer(tensorFrom('float32', dims, random(elementCount(dims))));
  const x = builder.input('x', 'float32', ['N', window]);
  const h = builder.input(names[0], 'float32', ['N', 4]);
  const width = typeof window === 'number' ? window : 1;
  const sum = builder.node('Add', [
    builder.node('MatMul', [x, constant(width, 4)]),
    builder.node('MatMul', [h, constant(4, 4)]),
  ]);
  const rate = builder.node('Cast', [builder.input('sr', 'int64', [])], { to: 1 });
  const hn = builder.node('Tanh', [sum], {}, { outputs: [names[1]] });
  const scaled = builder.node('Mul', [builder.node('MatMul', [hn, constant(4, 1)]), rate]);
  builder.output(builder.node('Identity', [scaled], {}, { outputs: ['y'] }), 'float32', ['N', 1]);
  builder.output(hn, 'float32', ['N', 4]);
  for (const [key, value] of Object.entries(metadata)) builder.setMetadata(key, JSON.stringify(value));
  return writeModel(builder.build());
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hone-stream-'));
  const boxes = { kind: 'boxes', layout: 'yolov8', scoreThreshold: 0 };
  writeFileSync(path('pictures.onnx'), pictureModel('float32', [1, 3, 6, 8], { 'hone.preprocess': SPEC }));
  writeFileSync(
    path('boxes.onnx'),
    pictureModel('float32', ['N', 3, 6, 8], { 'hone.preprocess': SPEC, 'hone.outputs': boxes }),
  );
  writeFileSync(path('bytes.onnx'), pictureModel('uint8', [1, 6, 8, 3], {}));
  writeFileSync(path('open.onnx'), pictureModel('uint8', [1, 3, 'H', 'W'], {}));
  writeFileSync(path('bare.onnx'), pictureModel('float32', [1, 3, 6, 8], {}));
  writeFileSync(path('sound.onnx'), soundModel(16));
  writeFileSync(path('tenth.onnx'), soundModel(1600));
  const kept = await openArtifact(path('tenth.onnx'), { shapes: new Map([['x', [1, 1600]]]) });
  writeFileSync(path('tenth.plan'), (await makePlan(kept, { keepStates: true })).plan);
  writeFileSync(path('noted.onnx'), soundModel(16, { 'hone.sound': { rate: 16000, scale: 1, hop: 4 } }));
  writeFileSync(path('long-hop.onnx'), soundModel(16, { 'hone.sound': { rate: 16000, scale: 1, hop: 17 } }));
  writeFileSync(path('open-sound.onnx'), soundModel('T'));
  writeFileSync(path('two.onnx'), soundModel(16, {}, ['extra', 'more']));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Found {
  readonly answers: StreamAnswer[];
  readonly broken: BrokenFrameReport[];
  readonly summary: Awaited<ReturnType<typeof stream>>;
}

type Given = Omit<StreamOptions, 'onAnswer' | 'everyFrame'> & Partial<StreamOptions>;

/** All that a stream says; of bytes in chunks of 1000 where they are no stream. */
async function answersTo(
  file: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { onAnswer, ...options }: Given,
  said: ArtifactOptions = {},
): Promise<Found> {
  const answers: StreamAnswer[] = [];
  const broken: BrokenFrameReport[] = [];
  const summary = await stream(
    await openArtifact(path(file), said),
    bytes instanceof Uint8Array ? chunks(bytes) : bytes,
    {
      everyFrame: true,
      onBroken: (report) => void broken.push(report),
      ...options,
      onAnswer(answer) {
        answers.push(answer);
        return onAnswer?.(answer);
      },
    },
  );
  return { answers, broken, summary };
}

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const numbers = (outputs: ReadonlyMap<string, Tensor>) =>
  new Map([...outputs].map(([name, tensor]) => [name, toNumbers(tensor)]));
const concat = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** Outputs and meaning by `run`, of a picture in a file. */
async function ran(file: string, input: string, said: ArtifactOptions = {}) {
  const { outputs, meaning } = await runOnce(await openArtifact(path(file), said), { input });
  return { outputs: numbers(outputs), decoded: meaning?.decoded };
}

function writePng(name: string, { width, height, rgb }: Picture): string {
  const png = new PNG({ width, height });
  for (let pixel = 0; pixel < width * height; pixel++)
    png.data.set([...rgb.subarray(3 * pixel, 3 * pixel + 3), 255], 4 * pixel);
  writeFileSync(path(name), PNG.sync.write(png));
  return path(name);
}

const SIZE = { width: 20, height: 12 };
const encode = (width: number, height: number) =>
  Uint8Array.from(jpeg.encode({ width, height, data: Buffer.from(randomBytes(4 * width * height)) }, 70).data);
const jpegs = () => [encode(20, 12), encode(9, 31), encode(20, 12)];

describe('pictures', () => {
  describe.each(Object.keys(RAW_FORMATS) as RawFormatName[])('%s', (format) => {
    const size = { width: SIZE.width, height: SIZE.height };
    test.each(['pictures.onnx', 'boxes.onnx', 'bytes.onnx'])('%s answers as `run` does', async (file) => {
      const frames = [0, 1, 2].map(() => randomBytes(rawPictureBytes(RAW_FORMATS[format], size)));
      for (const range of format === 'rgb24' ? [undefined] : [undefined, 'full' as const]) {
        const given = { format, size, ...(range && { range }) };
        const { answers, summary } = await answersTo(file, concat(frames), given);
        expect(answers.map(({ frame, dropped }) => [frame, dropped])).toEqual([
          [0, 0],
          [1, 0],
          [2, 0],
        ]);
        for (const [index, bytes] of frames.entries()) {
          const picture = readRawPicture(RAW_FORMATS[format], bytes, size, range ?? 'limited');
          const expected = await ran(file, writePng(`${format}${index}.png`, picture));
          expect(numbers(answers[index].outputs)).toEqual(expected.outputs);
          expect(answers[index].decoded).toEqual(expected.decoded);
        }
        expect(summary).toMatchObject({ frames: 3, answered: 3, dropped: 0, broken: 0, gaps: 0, restBytes: 0 });
      }
    });
  });

  test('mjpeg, of any sizes, answers as `run` does', async () => {
    const files = jpegs();
    const { answers, summary } = await answersTo('boxes.onnx', concat(files), { format: 'mjpeg' });
    for (const [index, bytes] of files.entries()) {
      writeFileSync(path(`${index}.jpg`), bytes);
      const expected = await ran('boxes.onnx', path(`${index}.jpg`));
      expect(expected.decoded).toMatchObject({ picture: index === 1 ? { width: 9, height: 31 } : SIZE });
      expect(numbers(answers[index].outputs)).toEqual(expected.outputs);
      expect(answers[index].decoded).toEqual(expected.decoded);
    }
    expect(summary).toMatchObject({ frames: 3, answered: 3, broken: 0, foreignBytes: 0 });
  });

  test('a plan carries what it needs; options take its place', async () => {
    const said = { preprocess: parsePreprocess({ ...SPEC, resize: 'stretch', mean: 0 }) };
    const { plan } = await makePlan(await openArtifact(path('boxes.onnx')));
    writeFileSync(path('boxes.plan'), plan);
    const bytes = randomBytes(720);
    const input = writePng('plan.png', { ...SIZE, rgb: bytes });
    for (const options of [{}, said]) {
      const { answers } = await answersTo('boxes.plan', bytes, { format: 'rgb24', size: SIZE }, options);
      expect(answers[0].decoded).toEqual((await ran('boxes.onnx', input, options)).decoded);
    }
  });

  test('broken ones are counted, named and left out', async () => {
    const [first, , last] = jpegs();
    const scan = Buffer.from(first).lastIndexOf(Buffer.of(0xff, 0xda));
    // Without its quantization tables, or cut off, it is no picture.
    const tables = Buffer.from(first).indexOf(Buffer.of(0xff, 0xc0));
    const bare = concat([first.subarray(0, 2), first.subarray(tables)]);
    const parts = [first, bare, first.subarray(0, scan + 30), Uint8Array.of(1, 2, 3), last];
    const { answers, broken, summary } = await answersTo('pictures.onnx', concat(parts), { format: 'mjpeg' });
    expect(answers.map(({ frame }) => frame)).toEqual([0, 3]);
    // What is seen to be broken on reading is told before what decoding shows.
    expect([...broken].sort((a, b) => a.frame - b.frame)).toEqual([
      { frame: 1, at: first.length, broken: expect.stringMatching(/^the picture cannot be decoded/) },
      { frame: 2, at: first.length + bare.length, broken: expect.stringMatching(/^the next picture begins at byte/) },
    ]);
    expect(summary).toMatchObject({ frames: 4, answered: 2, broken: 2, foreignBytes: 0 });
  });

  test('of another size than was said: refused at first, broken later', async () => {
    const options = { format: 'mjpeg', size: SIZE } as const;
    await expect(answersTo('pictures.onnx', encode(8, 8), options)).rejects.toMatchObject({
      code: 'E_STREAM',
      message: 'standard input has pictures of 8x8, not 20x12',
      hint: expect.stringMatching(/size/),
    });
    const { answers, broken } = await answersTo('pictures.onnx', concat(jpegs()), options);
    expect(answers.map(({ frame }) => frame)).toEqual([0, 2]);
    expect(broken).toMatchObject([{ frame: 1, broken: 'it is 9x31, not 20x12' }]);
  });
});

/** Samples as a stream has them. */
const bytesOf = (samples: readonly number[]) => new Uint8Array(Int16Array.from(samples).buffer);
const someSound = (count: number) => Array.from({ length: count }, () => rng.integer(-3000, 3000));

/** Outputs by `run` of windows that begin at these places, the last of them. */
async function ranSound(
  file: string,
  samples: readonly number[],
  starts: readonly number[],
  [window, scale, rate]: number[],
  said = {},
) {
  const rows = starts.flatMap((at) => samples.slice(at, at + window).map((sample) => sample * scale));
  const sr = tensorFrom('int64', [starts.length], Array(starts.length).fill(rate));
  writeFileSync(
    path('sound.npz'),
    writeNpz(
      new Map([
        ['x', tensorFrom('float32', [starts.length, window], rows)],
        ['sr', sr],
      ]),
    ),
  );
  const artifact = await openArtifact(path(file), said);
  const { outputs, meaning } = await runOnce(artifact, { input: path('sound.npz'), sample: starts.length - 1 });
  return { y: toNumbers(outputs.get('y')!), decoded: meaning?.decoded };
}

describe('sound', () => {
  const places = (count: number, hop: number) => Array.from({ length: count }, (_, index) => index * hop);

  test.each<[file: string, Partial<StreamOptions>, window: number, hop: number, scale: number, rate: number]>([
    ['sound.onnx', { rate: 8000 }, 16, 16, 2 ** -15, 8000],
    ['sound.onnx', { rate: 8000, hop: '5' }, 16, 5, 2 ** -15, 8000],
    ['sound.onnx', { rate: 8000, hop: '0.5ms' }, 16, 4, 2 ** -15, 8000],
    ['sound.onnx', { rate: 10000, hop: '0.7ms' }, 16, 7, 2 ** -15, 10000],
    ['sound.onnx', { rate: 8000, hop: '0.001s' }, 16, 8, 2 ** -15, 8000],
    ['noted.onnx', {}, 16, 4, 1, 16000],
    ['noted.onnx', { rate: 16000, hop: '1ms' }, 16, 16, 1, 16000],
  ])('%s with %j answers window after window as `run` does', async (file, options, window, hop, scale, rate) => {
    const samples = someSound(40);
    const said = { outputs: { kind: 'threshold', output: 'y', activation: 'sigmoid', minOn: 2, minOff: 2 } };
    const { answers, summary } = await answersTo(file, bytesOf(samples), { format: 's16le', ...options }, said);
    const count = Math.floor((40 - window) / hop) + 1;
    expect(answers.map(({ frame, sample, dropped }) => [frame, sample, dropped])).toEqual(
      places(count, hop).map((at, index) => [index, at, 0]),
    );
    for (const { frame, outputs, decoded, gap } of answers) {
      const expected = await ranSound(file, samples, places(frame + 1, hop), [window, scale, rate], said);
      // The next state is nothing for people.
      expect([...outputs.keys()]).toEqual(['y']);
      expect(toNumbers(outputs.get('y')!)).toEqual(expected.y);
      expect(decoded).toEqual(expected.decoded);
      expect(gap).toBeUndefined();
    }
    expect(summary).toMatchObject({ answered: count, gaps: 0, restBytes: 2 * (40 - window - hop * (count - 1)) });
  });

  test('a plan keeps its states itself, and carries the spec', async () => {
    const sound = parseSoundSpec({ rate: 8000, hop: 8 });
    const shapes = new Map([['x', [1, 16]]]);
    const artifact = await openArtifact(path('sound.onnx'), { sound, shapes });
    writeFileSync(path('kept.plan'), (await makePlan(artifact, { keepStates: true })).plan);
    const samples = someSound(64);
    const [kept, carried] = [
      await answersTo('kept.plan', bytesOf(samples), { format: 's16le' }),
      await answersTo('sound.onnx', bytesOf(samples), { format: 's16le', rate: 8000, hop: '8' }),
    ];
    expect(kept.answers.map(({ outputs }) => numbers(outputs))).toEqual(
      carried.answers.map(({ outputs }) => numbers(outputs)),
    );
    expect(kept.answers).toHaveLength(7);
  });
});

/** A stream that the test pushes bytes into. */
class Pipe implements AsyncIterable<Uint8Array> {
  private readonly chunks: (Uint8Array | undefined)[] = [];
  private wake: (() => void) | undefined;
  /** Chunks that were read, and whether somebody waits for one. */
  taken = 0;
  asked = false;
  closed = false;

  push(...chunks: (Uint8Array | undefined)[]): void {
    this.chunks.push(...chunks);
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        this.asked = true;
        while (this.chunks.length === 0)
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        this.asked = false;
        this.taken++;
        const chunk = this.chunks.shift();
        if (chunk === undefined) return;
        yield chunk;
      }
    } finally {
      this.closed = true;
    }
  }

  /** Waits until all was read. */
  async idle(): Promise<void> {
    while (!(this.asked && this.chunks.length === 0)) await setImmediate();
  }
}

/** A consumer that takes its time: it holds every answer until it is released. */
class Slow {
  readonly answers: StreamAnswer[] = [];
  private release: (() => void) | undefined;

  readonly take = (answer: StreamAnswer): Promise<void> => {
    this.answers.push(answer);
    return new Promise((resolve) => {
      this.release = resolve;
    });
  };

  async untilAnswered(count: number): Promise<void> {
    while (this.answers.length < count) await setImmediate();
  }

  /** Lets it go on, and waits for the next answer, or for the end. */
  async next(): Promise<void> {
    const before = this.answers.length;
    this.release!();
    await this.untilAnswered(before + 1);
  }

  /** Holds no answer any more. */
  finish(): void {
    const keep = (answer: StreamAnswer) => void this.answers.push(answer);
    Object.assign(this, { take: keep });
    this.release!();
  }
}

describe('a slow consumer', () => {
  const frame = (value: number) => new Uint8Array(720).fill(value);
  const RAW = { format: 'rgb24', size: SIZE } as const;

  test('of pictures through a pipe gets the newest; counts and times say so', async () => {
    const [pipe, slow] = [new Pipe(), new Slow()];
    let nowMs = 10;
    const clock = () => nowMs;
    const found = answersTo('pictures.onnx', pipe, { ...RAW, everyFrame: false, clock, onAnswer: (a) => slow.take(a) });
    pipe.push(frame(1));
    await slow.untilAnswered(1);
    expect(slow.answers[0]).toMatchObject({ frame: 0, dropped: 0 });
    nowMs = 20;
    pipe.push(concat([frame(2), frame(3), frame(4).subarray(0, 300)]));
    await pipe.idle();
    nowMs = 25.5;
    pipe.push(frame(4).subarray(300));
    await pipe.idle();
    nowMs = 100;
    await slow.next();
    expect(slow.answers[1]).toMatchObject({
      frame: 3,
      dropped: 2,
      latencyUs: { read: 5500, wait: 74500, convert: 0, preprocess: 0, run: 0, decode: 0, age: 74500 },
    });
    expect(slow.answers[1].gap).toBeUndefined();
    const { answers: alone } = await answersTo('pictures.onnx', frame(4), RAW);
    expect(numbers(slow.answers[1].outputs)).toEqual(numbers(alone[0].outputs));
    nowMs = 110;
    pipe.push(frame(5));
    await pipe.idle();
    nowMs = 120;
    pipe.push(frame(6), undefined);
    while (!pipe.closed) await setImmediate();
    await slow.next();
    // It came at once; what its predecessor took is not its own.
    expect(slow.answers[2]).toMatchObject({ frame: 5, dropped: 1, latencyUs: { read: 0 } });
    slow.finish();
    expect((await found).summary).toMatchObject({
      ...{ frames: 6, answered: 3, dropped: 3, gaps: 0, bytes: 4320 },
      latencyUs: { read: { p50: 0 }, age: { p99: expect.closeTo(74500, -3) } },
    });
  });

  test('lets a file wait, with one picture read ahead', async () => {
    const [pipe, slow] = [new Pipe(), new Slow()];
    const found = answersTo('pictures.onnx', pipe, { ...RAW, onAnswer: (a) => slow.take(a) });
    pipe.push(...Array.from({ length: 20 }, (_, index) => frame(index)), undefined);
    await slow.untilAnswered(1);
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    // One is answered, one waits, one is at the door.
    expect(pipe.taken).toBe(3);
    slow.finish();
    const { summary } = await found;
    expect(slow.answers.map((answer) => [answer.frame, answer.dropped])).toEqual(
      Array.from({ length: 20 }, (_, index) => [index, 0]),
    );
    expect(summary).toMatchObject({ frames: 20, answered: 20, dropped: 0 });
  });

  /** One tenth of a second. */
  const RATE = 16000;
  const windows = (count: number) => Array.from({ length: count }, () => someSound(1600));

  test.each(['tenth.onnx', 'tenth.plan'])(
    'of live sound loses a piece of it, is told which, and begins anew: %s',
    async (file) => {
      const [pipe, slow] = [new Pipe(), new Slow()];
      let nowMs = 0;
      const clock = () => nowMs;
      const sound = windows(61);
      const options = { format: 's16le', rate: RATE, everyFrame: false, clock } as const;
      // On at once, so that it tells how many windows it has seen.
      const said = { outputs: { kind: 'threshold', output: 'y', activation: 'sigmoid', on: 0 } };
      const found = answersTo(file, pipe, { ...options, onAnswer: (a) => slow.take(a) }, said);
      for (const window of sound.slice(0, 60)) {
        nowMs += 100;
        pipe.push(bytesOf(window));
        await pipe.idle();
        if (nowMs === 100) await slow.untilAnswered(1);
      }
      // The pipe and a recorder may hold 3.048 s at first; a second more waits: 41 windows behind the one that is answered.
      await slow.next();
      expect(slow.answers[1]).toMatchObject({
        frame: 42,
        sample: 42 * 1600,
        dropped: 41,
        gap: { samples: 41 * 1600, reset: true },
        decoded: { on: true, samples: 1 },
      });
      await slow.next();
      expect(slow.answers[2]).toMatchObject({ frame: 43, dropped: 0 });
      expect(slow.answers[2].gap).toBeUndefined();
      pipe.push(undefined);
      slow.finish();
      const { summary } = await found;
      const { answers: fresh } = await answersTo(file, bytesOf(sound.slice(42, 60).flat()), {
        format: 's16le',
        rate: RATE,
      });
      expect(slow.answers.slice(1).map(({ outputs }) => numbers(outputs))).toEqual(
        fresh.map(({ outputs }) => numbers(outputs)),
      );
      expect(summary).toMatchObject({ frames: 60, answered: 19, dropped: 41, gaps: 1 });
    },
  );

  test('of sound that comes faster than time loses nothing', async () => {
    const [pipe, slow] = [new Pipe(), new Slow()];
    let nowMs = 0;
    const clock = () => nowMs;
    const options = { format: 's16le', rate: RATE, everyFrame: false, clock } as const;
    const found = answersTo('tenth.onnx', pipe, { ...options, onAnswer: (a) => slow.take(a) });
    pipe.push(...windows(80).map(bytesOf), undefined);
    await slow.untilAnswered(1);
    for (let turn = 0; turn < 200; turn++) await setImmediate();
    // One is answered, 41 wait, one is at the door.
    expect(pipe.taken).toBe(43);
    // The time that it waits is none that it took.
    for (let turn = 0; turn < 5; turn++) {
      nowMs += 60000;
      await slow.next();
    }
    slow.finish();
    expect((await found).summary).toMatchObject({ frames: 80, answered: 80, dropped: 0, gaps: 0 });
  });
});

test('other work goes on while the model runs', async () => {
  let turns = 0;
  let done = false;
  const work = (async () => {
    for (; !done; turns++) await setImmediate();
  })();
  const { answers } = await answersTo('pictures.onnx', new Uint8Array(720 * 40), { format: 'rgb24', size: SIZE });
  done = true;
  await work;
  expect(answers).toHaveLength(40);
  // Without waiting for the engine, nothing that the test does lets anybody else in.
  expect(turns).toBeGreaterThan(20);
});

describe('the end', () => {
  const RAW = { format: 'rgb24', size: SIZE } as const;

  test('bytes that are no whole frame are told', async () => {
    const { summary } = await answersTo('pictures.onnx', randomBytes(720 + 7), RAW);
    expect(summary).toMatchObject({ answered: 1, restBytes: 7, frameText: '20x12 of rgb24, 720 bytes' });
    const none = await answersTo('pictures.onnx', randomBytes(7), RAW);
    expect(none.summary).toMatchObject({ frames: 0, answered: 0, restBytes: 7, latencyUs: null });
    const [first, second] = jpegs();
    const cut = await answersTo('pictures.onnx', concat([first, second.subarray(0, 100)]), { format: 'mjpeg' });
    expect(cut.summary).toMatchObject({ answered: 1, broken: 0, restBytes: 100 });
  });

  test('after `limit` answers, while more would come', async () => {
    const pipe = new Pipe();
    pipe.push(...[1, 2].map((value) => new Uint8Array(720).fill(value)), new Uint8Array(720 + 5));
    const { answers, summary } = await answersTo('pictures.onnx', pipe, { ...RAW, limit: 3 });
    expect(answers).toHaveLength(3);
    expect(summary).toMatchObject({ answered: 3, dropped: 0, restBytes: 0 });
  });

  test.each([
    ['while nothing comes', 0],
    ['behind an answer', 2],
  ])('by a signal, %s', async (_, after) => {
    const interrupt = new AbortController();
    const pipe = new Pipe();
    pipe.push(...[1, 2, 3].slice(0, after).map((value) => new Uint8Array(720).fill(value)));
    let count = 0;
    const onAnswer = () => void (++count === after && interrupt.abort());
    const found = answersTo('pictures.onnx', pipe, { ...RAW, signal: interrupt.signal, onAnswer });
    if (after === 0) {
      await pipe.idle();
      interrupt.abort();
    }
    expect((await found).summary).toMatchObject({ answered: after, restBytes: 0 });
  });

  test('by a signal before it begins, or by an error of the reader', async () => {
    const signal = AbortSignal.abort();
    expect((await answersTo('pictures.onnx', new Pipe(), { ...RAW, signal })).summary).toMatchObject({ frames: 0 });
    // biome-ignore lint/correctness/useYield: it fails before it has anything
    async function* failing(): AsyncGenerator<Uint8Array> {
      throw new Error('EIO');
    }
    await expect(answersTo('pictures.onnx', failing(), RAW)).rejects.toThrow('EIO');
  });
});

describeWithData('recordings', () => {
  test('UltraFace finds the faces of a picture in a stream as in a file', async () => {
    const preprocess = parsePreprocess({ size: [240, 320], mean: 127, std: 128 });
    const outputs = { kind: 'boxes', layout: 'corners', boxes: 'boxes', scores: 'scores', scoreThreshold: 0.7 };
    const model = await openArtifact(dataPath('models', 'ultraface_rfb_320.onnx'), { preprocess, outputs });
    const [two, many] = ['13.jpg', '1.jpg'].map((file) => dataPath('data', 'faces', file));
    const found: StreamAnswer[] = [];
    const bytes = concat([readFileSync(two), readFileSync(many)]);
    const onAnswer = (answer: StreamAnswer) => void found.push(answer);
    await stream(model, chunks(bytes, 65536), { format: 'mjpeg', everyFrame: true, onAnswer });
    for (const [index, input] of [two, many].entries()) {
      const { meaning } = await runOnce(model, { input });
      expect(found[index].decoded).toEqual(meaning?.decoded);
    }
    expect(found[0].decoded).toMatchObject({ boxes: [{ class: 1 }, { class: 1 }] });
  });

  describeWithZoo('of voices', () => {
    test.each(['3_theo_4.wav', '7_jackson_3.wav'])('Silero hears %s, and not the silence around it', async (file) => {
      const wav = readFileSync(dataPath('data', 'fsdd_wav', file));
      const voice = wav.subarray(wav.indexOf('data') + 8);
      // 8 kHz in steps of 256 samples, each behind the last 32 of the one before: half a second of silence on both sides.
      const silence = Buffer.alloc(2 * 4096);
      const sound = parseSoundSpec({ rate: 8000, hop: 256 });
      const outputs = { kind: 'threshold', on: 0.5, off: 0.35, minOn: 2, minOff: 4 };
      const shapes = new Map([['input', [1, 288]]]);
      const model = await openArtifact(join(ZOO_DIR, 'silero_vad__silero_vad.onnx'), { sound, outputs, shapes });
      let on = '';
      const bytes = concat([silence, voice, silence]);
      const summary = await stream(model, chunks(bytes, 4096), {
        format: 's16le',
        everyFrame: false,
        onAnswer({ decoded, dropped }) {
          expect(dropped).toBe(0);
          on += decoded?.kind === 'threshold' && decoded.on ? '#' : '.';
        },
      });
      expect(on).toMatch(/^\.{15,}#{4,}\.{4,}$/);
      expect(summary).toMatchObject({ answered: Math.floor((bytes.length / 2 - 288) / 256) + 1, dropped: 0 });
    });
  });
});

describe('refused:', () => {
  const wav = Uint8Array.from(Buffer.from('RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0', 'latin1'));
  const SOUND = { format: 's16le', rate: 16000 } as const;
  const RAW = { format: 'rgb24', size: SIZE } as const;

  test.each<[string, file: string, Given, code: string, message: RegExp, bytes?: Uint8Array]>([
    ['no size', 'pictures.onnx', { format: 'rgb24' }, 'E_USAGE', /missing option --size/],
    [
      'an odd width',
      'pictures.onnx',
      { format: 'yuyv', size: { width: 7, height: 3 } },
      'E_OPTION_VALUE',
      /an even width for yuyv, found '7x3'/,
    ],
    [
      'an odd height',
      'pictures.onnx',
      { format: 'nv12', size: { width: 8, height: 3 } },
      'E_OPTION_VALUE',
      /an even width and height for nv12/,
    ],
    [
      'an odd height of planes',
      'pictures.onnx',
      { format: 'yuv420', size: { width: 8, height: 3 } },
      'E_OPTION_VALUE',
      /for yuv420, found '8x3'/,
    ],
    [
      'a size of sound',
      'sound.onnx',
      { ...SOUND, size: SIZE },
      'E_OPTION_VALUE',
      /--size: expected --format of pictures/,
    ],
    [
      'a range of sound',
      'sound.onnx',
      { ...SOUND, range: 'full' },
      'E_OPTION_VALUE',
      /--range: expected --format of pictures/,
    ],
    [
      'a rate of pictures',
      'pictures.onnx',
      { ...RAW, rate: 8000 },
      'E_OPTION_VALUE',
      /--rate: expected --format s16le beside it, found '--format rgb24'/,
    ],
    [
      'a hop of pictures',
      'pictures.onnx',
      { format: 'mjpeg', hop: '1' },
      'E_OPTION_VALUE',
      /--hop: expected --format s16le/,
    ],
    [
      'a range of colours',
      'pictures.onnx',
      { ...RAW, range: 'full' },
      'E_OPTION_VALUE',
      /--range: expected --format yuyv, nv12, yuv420 beside it/,
    ],
    [
      'a range of JPEG',
      'pictures.onnx',
      { format: 'mjpeg', range: 'full' },
      'E_OPTION_VALUE',
      /--range: .*found '--format mjpeg'/,
    ],
    ['no preprocessing', 'bare.onnx', RAW, 'E_PREPROCESS', /standard input become input 'x'/],
    ['open extents without a size', 'open.onnx', { format: 'mjpeg' }, 'E_USAGE', /missing option --size/],
    ['pictures for sound', 'sound.onnx', RAW, 'E_DATA_MISMATCH', /arrays for the inputs x, sr, found pictures/],
    [
      'sound for pictures',
      'bare.onnx',
      SOUND,
      'E_DATA_MISMATCH',
      /a row of samples of sound, found 'x' of \[1,3,6,8\]/,
    ],
    ['sound for bytes', 'bytes.onnx', SOUND, 'E_DATA_MISMATCH', /one float32 input .*, found x: uint8\[1,6,8,3\]/],
    ['a state that nobody declared', 'two.onnx', SOUND, 'E_DATA_MISMATCH', /or --state extra=more/],
    ['an open window', 'open-sound.onnx', SOUND, 'E_SHAPE_FREE', /x \[1, T\]/],
    ['no rate', 'sound.onnx', { format: 's16le' }, 'E_USAGE', /missing option --rate/],
    [
      'another rate',
      'noted.onnx',
      { ...SOUND, rate: 44100 },
      'E_SOUND_RATE',
      /at 16000 samples per second, and --rate says 44100/,
    ],
    [
      'a hop of no whole samples',
      'sound.onnx',
      { ...SOUND, hop: '0.1ms' },
      'E_OPTION_VALUE',
      /1 to 16 samples.* as 1ms .*found '0.1ms, 1.6 samples'/,
    ],
    ['a hop beyond the window', 'sound.onnx', { ...SOUND, hop: '17' }, 'E_OPTION_VALUE', /found '17'/],
    ['a hop of nothing', 'sound.onnx', { ...SOUND, hop: '0' }, 'E_OPTION_VALUE', /found '0'/],
    ['a hop that is none', 'sound.onnx', { ...SOUND, hop: '1min' }, 'E_OPTION_VALUE', /found '1min'/],
    [
      'a hop of the model beyond its window',
      'long-hop.onnx',
      SOUND,
      'E_OPTION_VALUE',
      /sound.hop: expected at most 16 samples/,
    ],
    ['nothing', 'pictures.onnx', RAW, 'E_STREAM', /^standard input ended before a byte came$/, new Uint8Array(0)],
    ['a WAV file', 'sound.onnx', SOUND, 'E_STREAM', /^standard input begins as a WAV file$/, wav],
    ['JPEG as raw pictures', 'pictures.onnx', RAW, 'E_STREAM', /begins as JPEG pictures$/, encode(16, 16)],
    [
      'no JPEG',
      'pictures.onnx',
      { format: 'mjpeg' },
      'E_STREAM',
      /held no JPEG picture in 5 bytes$/,
      Uint8Array.of(1, 2, 3, 4, 5),
    ],
  ])('%s', async (_, file, options, code, message, bytes = randomBytes(2000)) => {
    await expect(answersTo(file, bytes, options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('what a stream is, is told however it comes in', async () => {
    await expect(answersTo('sound.onnx', chunks(wav, 3), SOUND)).rejects.toMatchObject({
      code: 'E_STREAM',
      hint: expect.stringMatching(/`arecord -t raw/),
    });
  });

  test.each<[json: unknown, code: string, message: RegExp]>([
    [{}, 'E_OPTION_VALUE', /sound.rate: .*found 'nothing'/],
    [{ rate: 0 }, 'E_OPTION_VALUE', /sound.rate: expected at least 1/],
    [{ rate: 1.5 }, 'E_OPTION_VALUE', /sound.rate/],
    [{ rate: 8000, scale: 0 }, 'E_OPTION_VALUE', /sound.scale: expected a number other than 0/],
    [{ rate: 8000, hop: 0 }, 'E_OPTION_VALUE', /sound.hop: expected at least 1/],
    [{ rate: 8000, hops: 4 }, 'E_OPTION_UNKNOWN', /sound.hops/],
    ['x', 'E_OPTION_VALUE', /sound/],
  ])('the sound spec %j', (json, code, message) => {
    expect(() => parseSoundSpec(json)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
