import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { readModelFile } from '../../lib/onnx/read-model';
import { annotate } from '../../lib/passes/annotate';
import { prepare } from '../../lib/passes/pipeline';
import { dataPath, describeWithData } from '../data';
import { weights } from './pass-case';

/** Writes formulas as exporters do. */
class Writer {
  readonly b: GraphBuilder;
  /** Whether constants stand on the left of sums and products. */
  readonly left: boolean;
  /** Whether a factor is written as a division by its reciprocal. */
  readonly divides: boolean;

  constructor(b: GraphBuilder, left: boolean, divides: boolean) {
    this.b = b;
    this.left = left;
    this.divides = divides;
  }

  number(value: number): string {
    return this.b.initializer(tensorFrom('float32', [], [value]), 'c');
  }

  op(op: string, ...inputs: string[]): string {
    return this.b.node(op, inputs);
  }

  plus(x: string, value: number): string {
    const c = this.number(value);
    return this.left ? this.op('Add', c, x) : this.op('Add', x, c);
  }

  times(x: string, value: number): string {
    if (this.divides) return this.op('Div', x, this.number(1 / value));
    const c = this.number(value);
    return this.left ? this.op('Mul', c, x) : this.op('Mul', x, c);
  }

  square(x: string): string {
    return this.left ? this.op('Mul', x, x) : this.op('Pow', x, this.number(2));
  }

  mean(x: string, ...axes: number[]): string {
    return this.op('ReduceMean', x, this.b.initializer(tensorFrom('int64', [axes.length], axes), 'axes'));
  }
}

type Formula = (w: Writer, x: string) => string;

function graphOf(
  formula: Formula,
  left = false,
  divides = false,
  dims: readonly (number | string)[] = ['N', 5, 8],
): Graph {
  const b = new GraphBuilder();
  b.output(formula(new Writer(b, left, divides), b.input('x', 'float32', dims)), 'float32', undefined);
  return prepare(b.build()).graph;
}

const erf: Formula = (w, x) => w.plus(w.op('Erf', w.times(x, Math.SQRT1_2)), 1);
const cube: Formula = (w, x) => (w.left ? w.op('Mul', x, w.square(x)) : w.op('Pow', x, w.number(3)));
const LEAD = Math.sqrt(2 / Math.PI);
const bend: Formula = (w, x) => w.plus(w.times(w.square(x), 0.044715), 1);
const TANHS: readonly Formula[] = [
  (w, x) => w.times(w.op('Add', x, w.times(cube(w, x), 0.044715)), LEAD),
  (w, x) => w.op('Mul', w.times(x, LEAD), w.plus(w.op('Mul', w.times(x, 0.044715), x), 1)),
  (w, x) => w.op('Mul', x, w.times(bend(w, x), LEAD)),
  (w, x) => w.times(w.op('Mul', bend(w, x), x), LEAD),
];
/** `x * half / 2` in the orders of its factors. */
const halves = (of: Formula): Formula[] => [
  (w, x) => w.times(w.op('Mul', x, of(w, x)), 0.5),
  (w, x) => w.op('Mul', w.times(x, 0.5), of(w, x)),
  (w, x) => w.op('Mul', w.times(of(w, x), 0.5), x),
];

type Normal = (w: Writer, centred: string, deviation: string, shifted: string) => string;
const NORMALS: readonly Normal[] = [
  (w, centred, deviation) => w.op('Div', centred, deviation),
  (w, centred, deviation) => w.op('Mul', centred, w.op('Reciprocal', deviation)),
  (w, centred, deviation) => w.op('Mul', w.op('Div', w.number(1), deviation), centred),
  (w, centred, _, shifted) => w.op('Mul', centred, w.op('Pow', shifted, w.number(-0.5))),
  (w, centred, _, shifted) => w.op('Div', centred, w.op('Pow', shifted, w.number(0.5))),
];
interface NormForm {
  readonly axes?: readonly number[];
  readonly varianceAxes?: readonly number[];
  readonly epsilon?: number;
  readonly scale?: readonly number[];
  readonly bias?: readonly number[];
}
const norm =
  (normal: Normal, { axes = [-1], varianceAxes = axes, epsilon = 1e-5, scale, bias }: NormForm): Formula =>
  (w, x) => {
    const centred = w.op('Sub', x, w.mean(x, ...axes));
    const shifted = w.plus(w.mean(w.square(centred), ...varianceAxes), epsilon);
    const values = normal(w, centred, w.op('Sqrt', shifted), shifted);
    const scaled = scale ? w.op('Mul', values, w.b.initializer(weights(scale), 'gamma')) : values;
    return bias ? w.op('Add', scaled, w.b.initializer(weights(bias, 2), 'beta')) : scaled;
  };
/** TensorFlow takes x, not what is centred, times the gain. */
const tensorflow: Formula = (w, x) => {
  const mean = w.mean(x, 2);
  const shifted = w.plus(w.mean(w.square(w.op('Sub', x, mean)), 2), 1e-5);
  const gain = w.op('Mul', w.op('Reciprocal', w.op('Sqrt', shifted)), w.b.initializer(weights([8]), 'gamma'));
  const offset = w.op('Sub', w.b.initializer(weights([8], 2), 'beta'), w.op('Mul', mean, gain));
  return w.op('Add', w.op('Mul', x, gain), offset);
};

interface Heads {
  readonly query?: number;
  readonly key?: number;
  readonly scores?: number;
  readonly mask?: 'Add' | 'Where';
  readonly axis?: number;
  readonly constantKey?: boolean;
}
/** Scores of two heads: x [N, 5, 8] is query and key. */
const attention =
  ({ query, key, scores, mask, axis = -1, constantKey }: Heads): Formula =>
  (w, x) => {
    const ints = (...values: number[]) => w.b.initializer(tensorFrom('int64', [values.length], values), 'i');
    const heads = (value: string, perm: number[]) =>
      w.b.node('Transpose', [w.op('Reshape', value, ints(0, 5, 2, 4))], { perm });
    const scaled = (value: string, factor?: number) => (factor === undefined ? value : w.times(value, factor));
    const q = heads(scaled(x, query), [0, 2, 1, 3]);
    const other = constantKey ? w.b.initializer(weights([4, 7], 3), 'k') : heads(w.op('Neg', x), [0, 2, 3, 1]);
    const all = scaled(w.op('MatMul', q, constantKey ? other : scaled(other, key)), scores);
    const masked = (): string => {
      if (mask === 'Add') return w.op('Add', all, w.b.input('mask', 'float32', [1, 1, 5, 5]));
      return w.op('Where', w.b.input('seen', 'bool', [1, 1, 5, 5]), all, w.number(-1e4));
    };
    return w.b.node('Softmax', [mask ? masked() : all], { axis });
  };

const clip =
  (low: number, high: number, of: Formula): Formula =>
  (w, x) =>
    w.op('Clip', of(w, x), w.number(low), w.number(high));
const relu6 = clip(0, 6, (w, x) => w.plus(x, 3));

/** What is found in each of these, written in four ways: constants left or right, factors or divisors. */
const FOUND: readonly (readonly [name: string, formulas: readonly Formula[], findings: object])[] = [
  [
    'gelu',
    [...halves(erf), (w, x) => w.op('Mul', x, w.plus(w.times(w.op('Erf', w.times(x, Math.SQRT1_2)), 0.5), 0.5))],
    { approximate: 'none' },
  ],
  [
    'gelu',
    TANHS.flatMap((argument) => halves((w, x) => w.plus(w.op('Tanh', argument(w, x)), 1))),
    { approximate: 'tanh' },
  ],
  // Half precision, widened.
  ['gelu', [(w, x) => w.times(w.op('Mul', x, w.plus(w.op('Erf', w.op('Div', x, w.number(1.4140625))), 1)), 0.5)], {}],
  [
    'silu',
    [
      (w, x) => w.op('Mul', x, w.op('Sigmoid', x)),
      (w, x) => w.op('Mul', w.op('Sigmoid', w.times(x, 1)), x),
      (w, x) => w.op('Div', x, w.plus(w.op('Exp', w.op('Neg', x)), 1)),
      (w, x) => w.op('Mul', x, w.op('Div', w.number(1), w.plus(w.op('Exp', w.op('Neg', x)), 1))),
    ],
    {},
  ],
  [
    'hard-swish',
    [
      (w, x) => w.times(w.op('Mul', x, relu6(w, x)), 1 / 6),
      (w, x) => w.op('Mul', x, w.times(relu6(w, x), 1 / 6)),
      (w, x) => w.op('Mul', x, clip(0, 1, (_, y) => w.plus(w.times(y, 1 / 6), 0.5))(w, x)),
      (w, x) => w.op('Mul', x, w.op('Min', w.op('Max', w.plus(w.times(x, 1 / 6), 0.5), w.number(0)), w.number(1))),
      (w, x) => w.op('Mul', w.b.node('HardSigmoid', [x], { alpha: { kind: 'float', value: Math.fround(1 / 6) } }), x),
    ],
    {},
  ],
  ['layer-normalization', NORMALS.map((normal) => norm(normal, {})), { axes: [2], epsilon: Math.fround(1e-5) }],
  ['layer-normalization', NORMALS.map((normal) => norm(normal, { scale: [8] })), { scale: 'gamma' }],
  [
    'layer-normalization',
    NORMALS.map((normal) => norm(normal, { scale: [8], bias: [1, 1, 8] })),
    { scale: 'gamma', bias: 'beta' },
  ],
  [
    'layer-normalization',
    [norm(NORMALS[0], { axes: [1, 2], varianceAxes: [-1, -2], scale: [5, 8] })],
    { axes: [1, 2], scale: 'gamma' },
  ],
  [
    'layer-normalization',
    [norm(NORMALS[0], { axes: [1], scale: [5, 1], epsilon: 1e-6 })],
    { axes: [1], epsilon: Math.fround(1e-6) },
  ],
  ['layer-normalization', [tensorflow], { axes: [2], scale: 'gamma', bias: 'beta' }],
  ['attention-scale', [attention({ scores: 0.5 }), attention({ query: 0.5 }), attention({ key: 0.5 })], { scale: 0.5 }],
  ['attention-scale', [attention({ query: 0.5, key: 0.25 }), attention({ scores: 0.125, axis: 3 })], { scale: 0.125 }],
  ['attention-scale', [attention({ query: 0.5, mask: 'Add' })], { scale: 0.5, mask: 'mask' }],
  ['attention-scale', [attention({ scores: 0.5, mask: 'Where' })], { scale: 0.5, mask: expect.any(String) }],
];

const WAYS = [false, true].flatMap((left) => [false, true].map((divides) => [left, divides] as const));

describe.each(FOUND)('%s', (name, formulas, findings) => {
  test.each(formulas.map((formula, index) => [index, formula] as const))('form %i', (_, formula) => {
    for (const [left, divides] of WAYS) {
      const graph = graphOf(formula, left, divides);
      const found = annotate(graph).filter((annotation) => annotation.name === name);
      expect(found).toEqual([
        { name, nodes: expect.any(Array), output: graph.outputs[0], findings: expect.objectContaining(findings) },
      ]);
      const order = graph.nodes.map((node) => node.name);
      expect(found[0].nodes).toEqual(order.filter((each) => found[0].nodes.includes(each)));
      expect(found[0].nodes).toContain(order.at(-1));
    }
  });
});

/** What is something else. */
const OTHERS: readonly (readonly [what: string, formula: Formula])[] = [
  ['a GELU with another half', (w, x) => w.times(w.op('Mul', x, erf(w, x)), 0.4)],
  [
    'a GELU with another one',
    (w, x) => w.times(w.op('Mul', x, w.plus(w.op('Erf', w.times(x, Math.SQRT1_2)), 1.1)), 0.5),
  ],
  ['a GELU with another root', (w, x) => w.times(w.op('Mul', x, w.plus(w.op('Erf', w.times(x, 0.8)), 1)), 0.5)],
  ['a GELU of two values', (w, x) => w.times(w.op('Mul', w.op('Neg', x), erf(w, x)), 0.5)],
  [
    'a tanh GELU with another bend',
    (w, x) => {
      const argument = w.times(w.op('Add', x, w.times(cube(w, x), 0.05)), LEAD);
      return w.times(w.op('Mul', x, w.plus(w.op('Tanh', argument), 1)), 0.5);
    },
  ],
  [
    'a tanh GELU of a square',
    (w, x) => {
      const argument = w.times(w.op('Add', x, w.times(w.square(x), 0.044715)), LEAD);
      return w.times(w.op('Mul', x, w.plus(w.op('Tanh', argument), 1)), 0.5);
    },
  ],
  ['a gate of another value', (w, x) => w.op('Mul', x, w.op('Sigmoid', w.op('Neg', x)))],
  ['a sigmoid of a multiple', (w, x) => w.op('Mul', x, w.op('Sigmoid', w.times(x, 1.702)))],
  ['a swish that ends elsewhere', (w, x) => w.times(w.op('Mul', x, clip(0, 7, (_, y) => w.plus(y, 3))(w, x)), 1 / 6)],
  ['a swish by another factor', (w, x) => w.times(w.op('Mul', x, relu6(w, x)), 1 / 5)],
  ['a swish by the slope of HardSigmoid', (w, x) => w.op('Mul', x, w.op('HardSigmoid', x))],
  ['two axes of one normalization', norm(NORMALS[0], { axes: [2], varianceAxes: [1] })],
  ['an epsilon below 0', norm(NORMALS[0], { epsilon: -1e-5 })],
  [
    'a variance of another value',
    (w, x) => {
      const centred = w.op('Sub', x, w.mean(x, 2));
      return w.op('Div', centred, w.op('Sqrt', w.plus(w.mean(w.square(x), 2), 1e-5)));
    },
  ],
  ['a root mean square', (w, x) => w.op('Div', x, w.op('Sqrt', w.plus(w.mean(w.square(x), 2), 1e-5)))],
  [
    'a mean of fourth powers',
    (w, x) => {
      const centred = w.op('Sub', x, w.mean(x, 2));
      const fourth = w.mean(w.op('Pow', centred, w.number(4)), 2);
      return w.op('Div', centred, w.op('Sqrt', w.plus(fourth, 1e-5)));
    },
  ],
  ['scores without a scale', attention({})],
  ['a softmax over queries', attention({ scores: 0.5, axis: 2 })],
  ['a classifier with a temperature', attention({ scores: 0.5, constantKey: true })],
  ['scores times a negative number', attention({ scores: -0.5 })],
];

test.each(OTHERS)('%s is not recognised', (_, formula) => {
  for (const [left, divides] of WAYS) expect(annotate(graphOf(formula, left, divides))).toEqual([]);
});

test('a scale across samples is none: the normalization is recognised without it', () => {
  const graph = graphOf(norm(NORMALS[0], { scale: [3, 1, 8], bias: [8] }), false, false, [3, 5, 8]);
  const [{ findings, output }, ...more] = annotate(graph);
  expect(more).toEqual([]);
  expect(findings).toEqual({ input: 'x', axes: [2], epsilon: Math.fround(1e-5) });
  expect(graph.nodes.find(({ outputs }) => outputs[0] === output)!.op).toBe('Div');
});

test('other readers inside do not matter, and groups of one kind share no node', () => {
  const b = new GraphBuilder();
  const w = new Writer(b, false, false);
  const x = b.input('x', 'float32', [1, 5, 8]);
  const centred = w.op('Sub', x, w.mean(x, 2));
  const shifted = w.plus(w.mean(w.square(centred), 2), 1e-5);
  const normal = w.op('Div', centred, w.op('Sqrt', shifted));
  const sigmoid = w.op('Sigmoid', normal);
  for (const output of [w.op('Mul', normal, sigmoid), w.op('Neg', sigmoid), centred, shifted, normal]) b.output(output);
  const { graph } = prepare(b.build());
  const found = annotate(graph);
  expect(found.map(({ name, findings }) => [name, findings.input])).toEqual([
    ['layer-normalization', 'x'],
    ['silu', normal],
  ]);
});

describeWithData('real models', () => {
  test.each([
    ['aidreams260k_transformer', { 'attention-scale': 4, silu: 4 }],
    ['magika_fast_v2_1', { gelu: 1, 'layer-normalization': 1 }],
    ['mobilenetv1_025_vww96_mlperftiny', {}],
  ])('%s', async (model, counts) => {
    const { graph } = prepare(await readModelFile(dataPath('models', `${model}.onnx`)));
    const found: Record<string, number> = {};
    for (const { name } of annotate(graph)) found[name] = (found[name] ?? 0) + 1;
    expect(found).toEqual(counts);
  });
});
