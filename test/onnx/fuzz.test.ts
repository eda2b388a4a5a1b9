import fc from 'fast-check';
import { Rng } from '../../lib/core/rng';
import type { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { packStrings } from '../../lib/ir/strings';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { corpusOf, makeCase, runCase } from './fuzz-case';
import { mutate } from './mutate';
import { seedModels } from './seeds';
import { tryModel } from './try-model';

const seeds = seedModels();
const seedModel = fc.constantFrom(...seeds);

test('the seeds are models', () => {
  expect(seeds.map((bytes) => tryModel(bytes) !== undefined)).toEqual(seeds.map(() => true));
});

test('mutated models give a model or a clear error', () => {
  fc.assert(
    fc.property(seedModel, seedModel, fc.nat(), (bytes, other, seed) => {
      tryModel(mutate(bytes, other, new Rng(seed)));
    }),
    { numRuns: 2000 },
  );
});

test('random bytes give a clear error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      tryModel(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('every prefix of a model gives a model or a clear error', () => {
  for (const bytes of seeds) for (let length = 0; length < bytes.length; length++) tryModel(bytes.subarray(0, length));
});

test('what the fuzzer tries is made of seed and number, and goes to the end', async () => {
  const corpus = corpusOf([]);
  const outcomes = new Set<string>();
  for (let index = 0; index < 60; index++) {
    const bytes = makeCase(corpus, 1, index);
    expect(Buffer.compare(makeCase(corpus, 1, index), bytes)).toBe(0);
    outcomes.add(await runCase(bytes, index, () => {}));
  }
  expect([...outcomes]).toEqual(expect.arrayContaining(['no model', 'refused', 'compared']));
});

/** Defects that the fuzzer found, each as the case that showed it: models as they are, and what became of them. */
const FOUND: readonly (readonly [what: string, model: () => Graph, outcome: string])[] = [
  ['extents beyond numbers', () => tiled([2 ** 31, 2 ** 31]), 'refused'],
  ['a bound of NaN', () => clipped(Number.NaN), 'refused'],
  ['an output named twice', () => twice(clipped(1)), 'compared'],
  ['a window that steps beyond int32', () => pooled({ kernel_shape: [2, 2], strides: [2 ** 32, 2 ** 24] }), 'ran'],
  [
    'an average over too much',
    () => pooled({ kernel_shape: [2 ** 12, 2 ** 12], pads: new Array(4).fill(2 ** 12) }),
    'refused',
  ],
  ['a variadic input left out', () => joined(), 'refused'],
  ['a scale of infinity', () => scaled(Number.POSITIVE_INFINITY), 'ran'],
  ['an axis of Transpose from the end', () => oneNode('Transpose', { perm: [0, 1, -1, 2] }), 'refused'],
  ['a ceil_mode of -1', () => pooled({ kernel_shape: [4, 3], strides: [2, 2], ceil_mode: -1 }), 'compared'],
  ['a Range of no number', () => ranged(), 'refused'],
  ['Resize without scales', () => oneNode('Resize', {}, 10), 'refused'],
  ['Upsample without scales', () => oneNode('Upsample', {}, 9), 'refused'],
  ['Resize with neither scales nor sizes', () => sized(), 'refused'],
  ['noop_with_empty_axes beside 0 and 1', () => reduced(10), 'compared'],
  [
    'keepdims beside 0 and 1',
    () => oneNode('ReduceMin', { keepdims: -1 }, 21, [tensorFrom('int64', [1], [2])]),
    'compared',
  ],
  ['a Reshape to words', () => named(), 'refused'],
  ['a Pad of words', () => padded(), 'refused'],
  ['a Pad to more than boards hold', () => oneNode('Pad', { mode: 'wrap' }, 21, [pads(0, 0, 2 ** 24, 0)]), 'refused'],
  ['a Pad of what was cut off', () => oneNode('Pad', { mode: 'edge' }, 21, [pads(0, 0, 7, -6)]), 'refused'],
  ['a Pad in a mode that ONNX has not', () => oneNode('Pad', { mode: 'VALID' }, 21, [pads(0, 0, 1, -1)]), 'refused'],
  ['largest beside 0 and 1', () => oneNode('TopK', { largest: 3 }, 21, [tensorFrom('int64', [1], [2])]), 'ran'],
  [
    'a cubic Resize to nothing',
    () => oneNode('Resize', { mode: 'cubic' }, 21, [floats(), floats(1, 1, 0.1, 1)]),
    'refused',
  ],
  [
    'a product of floats and bytes',
    () => oneNode('MatMul', {}, 21, [tensorFrom('uint8', [5, 1], [1, 2, 3, 4, 5])]),
    'refused',
  ],
  ['an infinite factor of a bias that is not there', () => unbiased(), 'compared'],
  ['a constant cast to words', () => spelled(), 'refused'],
  ['a constant repeated to millions', () => repeated(2 ** 22), 'refused'],
  ['an average between grids far apart', () => averaged(1e-30), 'ran'],
  ['bounds of another type', () => clipped(1, 'int64'), 'refused'],
  ['a Fourier transform over frames of no length', () => transformed(), 'refused'],
  ['a zero point of an integer convolution without a number', () => convolved(), 'refused'],
  ['batch normalization behind a convolution of one number', () => normalized(), 'refused'],
  ['a zero point of another type behind Pad', () => quantized('int64'), 'refused'],
  ['a zero point of truth behind Pad', () => quantized('bool'), 'refused'],
];

test.each(FOUND)('%s', async (_, model, outcome) => {
  const reached = await runCase(writeModel(model()), 1, () => {});
  // What onnxruntime refuses, or what comes out as no number, is not compared.
  expect(outcome === 'ran' ? ['ran', 'compared'] : [outcome]).toContain(reached);
});

function oneNode(
  op: string,
  values: Parameters<typeof attributes>[0],
  opset = 21,
  more: readonly Tensor[] = [],
): Graph {
  const b = new GraphBuilder({ opset });
  const constants = more.map((tensor) => b.initializer(tensor));
  b.output(b.node(op, [b.input('x', 'float32', [1, 2, 6, 5]), ...constants], values, { outputs: ['y'] }));
  return b.build();
}

const pads = (...before: number[]) => tensorFrom('int64', [8], [...before, 0, 0, 0, 0]);
const floats = (...values: number[]) => tensorFrom('float32', [values.length], values);
const tiled = (repeats: number[]) => oneNode('Tile', {}, 21, [tensorFrom('int64', [4], [...repeats, ...repeats])]);
const pooled = (values: Parameters<typeof attributes>[0]) => oneNode('AveragePool', { ceil_mode: 1, ...values });

function unbiased(): Graph {
  const b = new GraphBuilder();
  const weights = b.initializer(tensorFrom('float32', [2, 3], [1, 2, 3, 4, 5, 6]));
  b.output(
    b.node('Gemm', [b.input('x', 'float32', [1, 2]), weights], {
      beta: { kind: 'float', value: Number.POSITIVE_INFINITY },
    }),
  );
  return b.build();
}

function spelled(): Graph {
  const b = new GraphBuilder();
  const words = b.node('Cast', [b.initializer(tensorFrom('float32', [1, 2], [1, 0.5]))], { to: 8 });
  b.output(
    b.node(
      'Cast',
      [b.node('Concat', [words, b.node('Cast', [b.input('x', 'float32', [1, 2])], { to: 8 })], { axis: 1 })],
      { to: 1 },
    ),
  );
  return b.build();
}

function sized(): Graph {
  const b = new GraphBuilder();
  const bytes = b.initializer(tensorFrom('int8', [1, 1], [25]));
  const region = b.initializer(tensorFrom('float32', [4], [0, 0, 1, 1]));
  b.output(b.node('Cast', [b.node('Resize', [bytes, region])], { to: 1 }));
  return b.build();
}

function reduced(noop: number): Graph {
  const b = new GraphBuilder();
  const some = b.initializer(tensorFrom('float32', [1, 2], [1, -2]));
  const sums = b.node('ReduceL1', [some], { noop_with_empty_axes: noop });
  b.output(b.node('Add', [b.input('x', 'float32', [1, 2]), sums]));
  return b.build();
}

function padded(): Graph {
  const b = new GraphBuilder();
  const words = b.initializer({ type: 'string', dims: [2], bytes: packStrings(['a', 'b']) });
  const word = b.initializer({ type: 'string', dims: [], bytes: packStrings(['c']) });
  const more = b.node('Pad', [b.node('Identity', [words]), b.initializer(tensorFrom('int64', [2], [1, 0])), word]);
  b.output(more, 'string', [3]);
  b.output(b.node('Relu', [b.input('x', 'float32', [1, 2])]));
  return b.build();
}

function transformed(): Graph {
  const b = new GraphBuilder();
  const signal = b.initializer(tensorFrom('float32', [1, 8, 1], [1, 2, 3, 4, 5, 6, 7, 8]));
  const frames = b.node('STFT', [signal, b.initializer(tensorFrom('int64', [], [2])), '', '']);
  b.output(b.node('Add', [b.input('x', 'float32', [1]), frames]));
  return b.build();
}

function convolved(): Graph {
  const b = new GraphBuilder();
  const number = (type: 'float32' | 'uint8' | 'int8', dims: number[] = []) =>
    b.initializer(tensorFrom(type, dims, new Array(elementCount(dims)).fill(1)));
  const weights = [number('int8', [1, 1, 1, 1]), number('float32'), number('int8')];
  const pixels = [b.input('x', 'uint8', [1, 1, 4, 4]), number('float32'), number('uint8')];
  const grid = [number('float32'), number('uint8', [0])];
  b.output(b.node('QLinearConv', [...pixels, ...weights, ...grid]), 'uint8', [1, 1, 4, 4]);
  return b.build();
}

function normalized(): Graph {
  const b = new GraphBuilder();
  const weights = b.initializer(tensorFrom('float32', [], [2]));
  const parameters = Array.from({ length: 4 }, () => b.initializer(tensorFrom('float32', [3], [1, 2, 3])));
  b.output(
    b.node('BatchNormalization', [b.node('Conv', [b.input('x', 'float32', [1, 2, 6, 5]), weights]), ...parameters]),
  );
  return b.build();
}

function quantized(type: 'int64' | 'bool'): Graph {
  const b = new GraphBuilder();
  const scale = b.initializer(tensorFrom('float32', [], [0.5]));
  const zero = b.initializer(tensorFrom('uint8', [], [3]));
  const bytes = b.node('QuantizeLinear', [b.input('x', 'float32', [1, 1, 4, 4]), scale, zero]);
  const pads = b.initializer(tensorFrom('int64', [8], [0, 0, 1, 1, 0, 0, 1, 1]));
  const padded = b.node('Pad', [b.node('DequantizeLinear', [bytes, scale, zero]), pads]);
  const other = b.node('QuantizeLinear', [padded, scale, b.initializer(tensorFrom(type, [], [1]))]);
  const image = b.node('DequantizeLinear', [other, scale, zero]);
  const weights = b.initializer(tensorFrom('float32', [1, 1, 3, 3], new Array(9).fill(1)));
  b.output(b.node('Conv', [image, weights]));
  return b.build();
}

function repeated(extent: number): Graph {
  const b = new GraphBuilder();
  const column = b.initializer(tensorFrom('float32', [1, 1, 8, 1], [1, 2, 3, 4, 5, 6, 7, 8]));
  b.output(b.node('Add', [b.input('x', 'float32', [1, 1, 8, extent]), column]));
  return b.build();
}

function averaged(scale: number): Graph {
  const b = new GraphBuilder();
  const pair = (value: string, size: number) => {
    const grid = [b.initializer(tensorFrom('float32', [], [size])), b.initializer(tensorFrom('uint8', [], [0]))];
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, ...grid]), ...grid]);
  };
  const image = pair(b.input('x', 'float32', [1, 1, 4, 4]), scale);
  b.output(pair(b.node('AveragePool', [image], { kernel_shape: [2, 2] }), 1e30));
  return b.build();
}

function named(): Graph {
  const b = new GraphBuilder();
  const words = b.initializer({ type: 'string', dims: [2], bytes: packStrings(['a', 'b']) });
  const flat = b.node('Flatten', [b.input('x', 'float32', [1, 2, 6, 5])]);
  b.output(b.node('Reshape', [flat, words]));
  return b.build();
}

function clipped(bound: number, type: 'float32' | 'int64' = 'float32'): Graph {
  return oneNode('Clip', {}, 21, [tensorFrom('float32', [], [-1]), tensorFrom(type, [], [bound])]);
}

function twice(graph: Graph): Graph {
  return { ...graph, outputs: [...graph.outputs, ...graph.outputs] };
}

function joined(): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 2]);
  b.output(b.node('Sum', [x, '', x]));
  return b.build();
}

function ranged(): Graph {
  const b = new GraphBuilder();
  const numbers = [[], [1], []].map((dims) => b.initializer(tensorFrom('float32', dims, dims.length > 0 ? [3] : [1])));
  const empty = b.initializer(tensorFrom('float32', [0], []));
  b.output(b.node('Add', [b.input('x', 'float32', [1]), b.node('Range', [...numbers.slice(0, 2), empty])]));
  return b.build();
}

function scaled(scale: number): Graph {
  const b = new GraphBuilder();
  const grid = [b.initializer(tensorFrom('float32', [], [0.5])), b.initializer(tensorFrom('uint8', [], [3]))];
  const pair = (value: string) => b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, ...grid]), ...grid]);
  const bytes = b.initializer(tensorFrom('int8', [1], [5]));
  const odd = b.node('DequantizeLinear', [bytes, b.initializer(tensorFrom('float32', [], [scale]))]);
  b.output(pair(b.node('Mul', [pair(b.input('x', 'float32', [1, 3])), odd])));
  return b.build();
}
