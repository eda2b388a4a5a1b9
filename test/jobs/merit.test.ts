import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tooFewToDecide } from '../../lib/compress/recipe/goals';
import { writeNpz } from '../../lib/data/npz';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { errorQuality, type Merit, qualityOf } from '../../lib/jobs/merit';
import { writeModel } from '../../lib/onnx/write-model';
import { hone } from '../cli/hone';
import { uniform } from '../ops/op-case';
import { toyFolder } from './toy';

const share = (value: number, whole = true): Merit => ({ share: value, whole, noises: [], nats: undefined });
const error = (...noises: [signal: number, noise: number][]): Merit => ({
  share: undefined,
  whole: false,
  noises: noises.map(([signal, noise]) => ({ signal, noise })),
  nats: undefined,
});

test('classes: Wilson interval, and the paired standard error', () => {
  const found = qualityOf(
    [1, 0, 1, 1].map((hit) => share(hit)),
    [1, 1, 1, 1].map((hit) => share(hit)),
  );
  expect(found.score).toBe(0.75);
  expect(found.interval95[0]).toBeCloseTo(0.3006, 3);
  // Differences 0, -1, 0, 0: variance 3/16 over 4 samples.
  expect(found.dropStandardError).toBeCloseTo(Math.sqrt(3 / 64), 12);
});

test('positions: the spread over samples, not over positions', () => {
  const found = qualityOf(
    [0.5, 1, 0.75, 0.75].map((part) => share(part, false)),
    [1, 1, 1, 1].map((part) => share(part, false)),
  );
  expect(found.score).toBe(0.75);
  expect(found.dropStandardError).toBeCloseTo(Math.sqrt(0.03125 / 4), 12);
  expect(found.interval95[1] - found.score).toBeCloseTo(1.96 * found.dropStandardError, 12);
});

test('numbers: relative error of all samples, outputs weighing alike, its standard error as many draws show it', () => {
  expect(errorQuality([error([100, 1]), error([100, 3])]).score).toBeCloseTo(1 - Math.sqrt(0.02), 12);
  expect(errorQuality([error([100, 1], [1, 0.03])]).score).toBeCloseTo(1 - Math.sqrt(0.02), 12);
  expect(errorQuality([error([100, 0])])).toMatchObject({ score: 1, dropStandardError: 0 });
  expect(errorQuality([error([1, 100])])).toMatchObject({ score: 0 });
  // A sample's part in the ratio of 0.02 is 0.005 less and more than its share: variance 0.0001 of the sum, by n - 1.
  expect(errorQuality([error([100, 1]), error([100, 3])]).dropStandardError).toBeCloseTo(
    0.01 / (2 * Math.sqrt(0.02)),
    12,
  );
  // Deterministic draws: 200 sets of 64 samples.
  const draw = (seed: number) => {
    const values = uniform([128], seed);
    const numbers = new Float32Array(values.bytes.buffer, values.bytes.byteOffset, 128);
    return errorQuality(
      Array.from({ length: 64 }, (_, at) => error([2 + numbers[2 * at], 0.01 * (2 + numbers[2 * at + 1]) ** 2])),
    );
  };
  const sets = Array.from({ length: 200 }, (_, seed) => draw(seed + 1));
  const middle = sets.reduce((sum, { score }) => sum + score, 0) / sets.length;
  const spread = Math.sqrt(sets.reduce((sum, { score }) => sum + (score - middle) ** 2, 0) / sets.length);
  const told = sets.reduce((sum, { dropStandardError }) => sum + dropStandardError, 0) / sets.length;
  expect(told / spread).toBeGreaterThan(0.75);
  expect(told / spread).toBeLessThan(1.35);
});

test.each([
  [
    { maxDrop: 1 },
    51,
    /^51 validation samples are too few for maxDrop 1: one sample is 1\.96 points.* 400 samples .* 1537 tell/,
  ],
  [{ maxDrop: 1 }, 399, /^399 validation samples/],
  [{ maxDrop: 1 }, 400, undefined],
  [{ maxDrop: 5 }, 20, undefined],
  [{ maxDrop: 5 }, 10, /^10 validation samples.*16 samples/],
  [{}, 5, undefined],
] as const)('%j with %d samples', (goals, samples, expected) => {
  const found = tooFewToDecide({ tries: 8, ...goals }, samples);
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(expected);
});

describe('without labels', () => {
  let folder: string;
  const write = (name: string, graph: Graph, inputs: Parameters<typeof writeNpz>[0]) => {
    writeFileSync(join(folder, `${name}.onnx`), writeModel(graph));
    writeFileSync(join(folder, `${name}.npz`), writeNpz(inputs));
    writeFileSync(
      join(folder, `${name}.json`),
      JSON.stringify({ data: { calibration: `${name}.npz` }, goals: { maxDrop: 10 }, steps: [{ quantize: {} }] }),
    );
  };
  beforeAll(() => {
    folder = toyFolder();
    const tokens = new GraphBuilder();
    const x = tokens.input('x', 'int64', ['N', 12]);
    const embedding = tokens.node('Gather', [tokens.initializer(uniform([20, 16], 1)), x]);
    tokens.output(tokens.node('MatMul', [embedding, tokens.initializer(uniform([16, 20], 2))]), 'float32', [
      'N',
      12,
      20,
    ]);
    const ids = Array.from({ length: 80 * 12 }, (_, at) => (at * 7 + Math.floor(at / 12)) % 20);
    write('tokens', tokens.build(), new Map([['x', tensorFrom('int64', [80, 12], ids)]]));
    const map = new GraphBuilder();
    const picture = map.input('x', 'float32', ['N', 2, 6, 6]);
    map.output(
      map.node('Conv', [picture, map.initializer(uniform([3, 2, 3, 3], 3))], { pads: [1, 1, 1, 1] }),
      'float32',
      ['N', 3, 6, 6],
    );
    write('map', map.build(), new Map([['x', uniform([80, 2, 6, 6], 4)]]));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a language model is judged position by position, with nats', async () => {
    const { stdout, code } = await hone('compress tokens.onnx --recipe tokens.json'.split(' '), { cwd: folder });
    expect(stdout).toMatch(/agree with the float model, position by position/);
    const [, agreement, nats] = /\nquantize +([\d.]+) % \(.*?\) +[-\d.]+ ± [\d.]+ +([\d.]+) /.exec(stdout)!;
    expect(Number(agreement)).toBeGreaterThan(85);
    const [, float] = /\nfloat +100\.00 % .*? +([\d.]+) +\d/.exec(stdout)!;
    expect(Math.abs(Number(nats) - Number(float))).toBeLessThan(0.05);
    expect(code).toBe(0);
    const judged = await hone('eval tokens.hone.onnx --data tokens.npz --executor onnxruntime'.split(' '), {
      cwd: folder,
    });
    expect(judged.stdout).toMatch(
      /agreement per position +\d+\.\d+ % \(95 %: .*\)\nnext token +\d\.\d+ nats \(float \d\.\d+\)\n/,
    );
    expect(judged.stdout).not.toMatch(/^accuracy/m);
  });

  test('maps are judged by their error', async () => {
    const { stdout, code } = await hone('compress map.onnx --recipe map.json'.split(' '), { cwd: folder });
    expect(stdout).toMatch(/models are measured by the error of their outputs/);
    const [, percent, decibels] = /\nquantize +([\d.]+) % \(([\d.]+) dB\)/.exec(stdout)!;
    expect(Number(decibels)).toBeCloseTo(-20 * Math.log10(Number(percent) / 100), 0);
    expect(Number(decibels)).toBeGreaterThan(25);
    expect(code).toBe(0);
    const judged = await hone('eval map.hone.onnx --data map.npz'.split(' '), { cwd: folder });
    expect(judged.stdout).toMatch(/relative error +\d+\.\d+ % \(\d+\.\d dB\) \(95 %: /);
  });

  test('too few samples for the goal are said before the work begins', async () => {
    const { stdout } = await hone(['compress', 'map.onnx', '--recipe', 'map.json', '--out', 'again.onnx'], {
      cwd: folder,
    });
    expect(stdout).not.toMatch(/too few/);
    writeFileSync(
      join(folder, 'strict.json'),
      JSON.stringify({ data: { calibration: 'map.npz' }, goals: { maxDrop: 1 }, steps: [{ quantize: {} }] }),
    );
    const strict = await hone(['compress', 'map.onnx', '--recipe', 'strict.json', '--out', 'strict.onnx'], {
      cwd: folder,
    });
    expect(strict.stdout).toMatch(
      /data\.validation: 16 validation samples are too few for maxDrop 1: one sample is 6\.25 points/,
    );
  });
});
