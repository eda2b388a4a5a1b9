import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { type Differentiated, differentiate } from '../../lib/train/differentiate';
import { evaluateGraph } from '../ops/evaluate-graph';
import { float, integers, type OpCase, uniform } from '../ops/op-case';

type Inputs = readonly (Tensor | undefined)[];

/** Sum (or another reduction) of output `used` of one node; float32 inputs are graph inputs. */
function sumOf(
  op: string,
  inputs: Inputs,
  attributes: OpCase['attributes'],
  outputs: readonly string[],
  used: number,
  reduction = 'ReduceSum',
) {
  const builder = new GraphBuilder();
  const names = inputs.map((tensor, index) => {
    if (!tensor) return '';
    if (tensor.type !== 'float32') return builder.initializer(tensor);
    return builder.input(`in${index}`, tensor.type, tensor.dims);
  });
  const made = builder.nodes(op, names, outputs.length, attributes, { outputs });
  builder.output(builder.node(reduction, [made[used]], { keepdims: 0 }));
  return inferShapes(builder.build()).graph;
}

function gradientOf(graph: Graph, inputs: Inputs, wanted: string): readonly number[] {
  const result = differentiate(graph, graph.outputs[0], [wanted]) as Differentiated;
  const feeds = inputs.map((tensor, index) => [`in${index}`, toDense(tensor!, 'float64')] as const);
  const values = evaluateGraph(result.graph, new Map(feeds), 'float64');
  return Array.from(values.get(result.gradients.get(wanted)!)!.data);
}

test.each([
  ['columns of whole memory pages', [16, 13, 12, 12]],
  ['other columns', [3, 13, 10, 12]],
])('weights of a large convolution with %s: a square loss moves along its gradient', (_, dims) => {
  const inputs = [uniform(dims), uniform([6, 13, 5, 5], 2)];
  const graph = sumOf('Conv', inputs, {}, ['y'], 0, 'ReduceSumSquare');
  const gradient = gradientOf(graph, inputs, 'in1');
  const lossAt = (weights: Float64Array) => {
    const feeds = new Map([
      ['in0', toDense(inputs[0], 'float64')],
      ['in1', { ...toDense(inputs[1], 'float64'), data: weights }],
    ]);
    return evaluateGraph(graph, feeds, 'float64').get(graph.outputs[0])!.data[0];
  };
  const start = toDense(inputs[1], 'float64').data as Float64Array;
  const along = (step: number) => lossAt(start.map((value, i) => value + step * gradient[i]));
  const square = gradient.reduce((sum, value) => sum + value * value, 0);
  // The loss is quadratic, so the difference has no error but rounding.
  expect((along(1e-3) - along(-1e-3)) / 2e-3 / square).toBeCloseTo(1, 9);
});

const [STEPS, BATCH, INPUTS, HIDDEN] = [3, 2, 3, 2];

function recurrentInputs(gates: number, more: Inputs = []): Inputs {
  const weights = [uniform([1, gates * HIDDEN, INPUTS], 2), uniform([1, gates * HIDDEN, HIDDEN], 3)];
  return [uniform([STEPS, BATCH, INPUTS]), ...weights, uniform([1, 2 * gates * HIDDEN], 4), ...more];
}

test.each([
  ['LSTM', 4, ['', 'h', 'c']],
  ['GRU', 3, ['', 'h']],
] as const)('%s whose node has no output Y has the same gradients', (op, gates, outputs) => {
  const inputs = recurrentInputs(gates);
  const attributes = { hidden_size: HIDDEN };
  const [without, complete] = [outputs, ['y', ...outputs.slice(1)]].map((names) =>
    gradientOf(sumOf(op, inputs, attributes, names, 1), inputs, 'in2'),
  );
  expect(without).toEqual(complete);
  expect(complete.some((value) => value !== 0)).toBe(true);
});

const lengths = integers('int32', [BATCH], 1, STEPS);
const state = uniform([1, BATCH, HIDDEN], 5);
const batchNorm = [uniform([2, 3, 2]), uniform([3], 2), uniform([3], 3), uniform([3], 4), uniform([3], 5)];

test.each<[string, string, Inputs, OpCase['attributes'], number, string]>([
  ['sequence lengths', 'LSTM', recurrentInputs(4, [lengths]), {}, 0, 'sequence lengths'],
  ['sequence lengths', 'GRU', recurrentInputs(3, [lengths]), {}, 0, 'sequence lengths'],
  ['a clip', 'GRU', recurrentInputs(3), { clip: float(1) }, 0, 'clip'],
  ['coupled gates', 'LSTM', recurrentInputs(4), { input_forget: 1 }, 0, 'coupled gates'],
  ['peepholes', 'LSTM', recurrentInputs(4, [undefined, state, state, uniform([1, 3 * HIDDEN])]), {}, 0, 'peepholes'],
  [
    'other activations',
    'GRU',
    recurrentInputs(3),
    { activations: { kind: 'strings', value: ['Sigmoid', 'Relu'] } },
    0,
    'only the activations Sigmoid, Tanh',
  ],
  ['a loss on running statistics', 'BatchNormalization', batchNorm, { training_mode: 1 }, 1, 'running statistics'],
  ['a loss on the mean', 'LayerNormalization', [uniform([2, 3]), uniform([3], 2)], {}, 1, 'statistics'],
])('%s: %s has no gradient, and the diagnostic says so', (_title, op, inputs, attributes, used, words) => {
  const outputs = ['y', 'first', 'second'].slice(0, op === 'GRU' ? 2 : 3);
  const graph = sumOf(op, inputs, attributes, outputs, used);
  const result = differentiate(graph, graph.outputs[0], ['in0']);
  expect(result).toEqual([
    expect.objectContaining({ kind: 'missing-gradient', message: expect.stringContaining(words) }),
  ]);
});

test('a variance that rounding made negative counts as zero', () => {
  // Running statistics after a batch of equal numbers: 0.9 * 1 + 0.1 * 0, rounded to float32.
  const inputs = [
    uniform([2, 1, 2]),
    uniform([1], 2),
    uniform([1], 3),
    uniform([1], 4),
    tensorFrom('float32', [1], [1]),
  ];
  const constant = [tensorFrom('float32', [2, 1, 2], [3, 3, 3, 3]), ...inputs.slice(1)];
  const graph = sumOf('BatchNormalization', constant, { training_mode: 1 }, ['y', 'mean', 'variance'], 0);
  expect(gradientOf(graph, constant, 'in0').every(Number.isFinite)).toBe(true);
});
