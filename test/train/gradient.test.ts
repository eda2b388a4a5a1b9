import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { isFloat, toDense } from '../../lib/ops/dense';
import { OPERATORS } from '../../lib/ops/index';
import type { Dense } from '../../lib/ops/operator';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { openReference } from '../../lib/reference/session';
import { differentiate } from '../../lib/train/differentiate';
import { evaluateGraph } from '../ops/evaluate-graph';
import { floats } from '../ops/op-case';
import { GRADIENT_CASES, type GradientCase } from './gradient-cases';

const STEP = 1e-5;

/** Operators whose gradient is not their derivative; gradient-conventions.test.ts says what it is. */
const STRAIGHT_THROUGH = ['Round', 'QuantizeLinear', 'DequantizeLinear'];

test('every operator with a gradient has a case', () => {
  const differentiable = OPERATORS.filter(({ gradient }) => gradient).map(({ op }) => op);
  const covered = new Set([...GRADIENT_CASES.map(({ op }) => op), ...STRAIGHT_THROUGH]);
  expect(differentiable.length).toBeGreaterThanOrEqual(75);
  expect(differentiable.filter((op) => !covered.has(op))).toEqual([]);
});

test.each(GRADIENT_CASES.map((each) => [each.op, each.title, each] as const))('%s: %s', (_op, _title, each) => {
  const { graph, loss, feeds, wanted } = lossOf(each);
  const result = differentiate(graph, loss, wanted);
  if (!('graph' in result)) throw new Error(JSON.stringify(result));
  const values = evaluateGraph(result.graph, feeds, 'float64');
  const lossAt = (changed: ReadonlyMap<string, Dense>) =>
    evaluateGraph(graph, new Map([...feeds, ...changed]), 'float64').get(loss)!.data[0];
  for (const name of wanted) {
    const { data, dims } = feeds.get(name)!;
    const expected = Array.from(data, (_, i) => {
      const [up, down] = [STEP, -STEP].map((step) => {
        const moved = Float64Array.from(data, (value, at) => (at === i ? value + step : value));
        return lossAt(new Map([[name, { type: 'float32', dims, data: moved }]]));
      });
      return (up - down) / (2 * STEP);
    });
    expectGradient(values.get(result.gradients.get(name)!)!, dims, expected);
  }
});

/** Cases whose node, not its gradient, onnxruntime refuses or understands differently. */
const NOT_IN_ONNXRUNTIME: readonly string[] = [
  'BatchNormalization: training',
  'BatchNormalization: training on a matrix',
  'ConvTranspose: output_padding beyond the stride',
  'LSTM: batch first',
  'GRU: batch first',
  'Cast: {"to":11}',
  'CastLike: float64',
  'Mod: floored',
  'MaxPool: dilation',
  'AveragePool: dilation',
];

test.each(
  GRADIENT_CASES.map((each) => [`${each.op}: ${each.title}`, each] as const).filter(
    ([name]) => !NOT_IN_ONNXRUNTIME.includes(name),
  ),
)('%s in onnxruntime', async (_name, each) => {
  const { graph, loss, feeds, wanted } = lossOf(each);
  const result = differentiate(graph, loss, wanted);
  if (!('graph' in result)) throw new Error(JSON.stringify(result));
  const expected = evaluateGraph(result.graph, feeds, 'float64');
  await using session = await openReference(result.graph);
  const tensors = new Map([...feeds].map(([name, { dims, data }]) => [name, floats(Array.from(data), dims)]));
  const actual = await session.run(tensors);
  for (const name of wanted.map((value) => result.gradients.get(value)!)) {
    const size = Math.max(1e-3, ...Array.from(expected.get(name)!.data, Math.abs));
    toNumbers(actual.get(name)!).forEach((value, i) => {
      expect(Math.abs(value - expected.get(name)!.data[i])).toBeLessThanOrEqual(1e-4 * size);
    });
  }
});

test('equal maxima of a window share its gradient', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [1, 1, 2, 4]);
  const y = builder.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  builder.output(builder.node('ReduceSum', [y], { keepdims: 0 }));
  const { graph } = inferShapes(builder.build());
  const result = differentiate(graph, graph.outputs[0], ['x']);
  if (!('graph' in result)) throw new Error(JSON.stringify(result));
  const ties = toDense(tensorFrom('float32', [1, 1, 2, 4], [3, 3, 1, 5, 0, 3, 2, 4]), 'float64');
  const dx = evaluateGraph(result.graph, new Map([['x', ties]]), 'float64').get(result.gradients.get('x')!)!;
  const third = Math.fround(1 / 3);
  Array.from(dx.data).forEach((value, i) => {
    expect(value).toBeCloseTo([third, third, 0, 1, 0, third, 0, 0][i], 6);
  });
});

/** The case as a graph whose loss is a fixed random combination of the elements of its outputs. */
function lossOf({ op, attributes, inputs, outputs = 1, varied, used }: GradientCase): {
  graph: Graph;
  loss: string;
  feeds: ReadonlyMap<string, Dense>;
  wanted: readonly string[];
} {
  const builder = new GraphBuilder();
  const feeds = new Map<string, Dense>();
  const names = inputs.map((tensor, index) => {
    const name = `in${index}`;
    if (!tensor) return '';
    if (!isVaried(op, tensor, index, varied)) return builder.initializer(tensor, name);
    feeds.set(name, toDense(tensor, 'float64'));
    return builder.input(name, 'float32', tensor.dims);
  });
  const made = builder.nodes(op, names, outputs, attributes);
  const forward = inferShapes(builder.build()).graph;
  const rng = new Rng(9);
  const more = new GraphBuilder({ from: forward });
  const parts = made.slice(0, used).map((output) => {
    const { type, shape } = forward.values.get(output)!;
    const count = elementCount(shape as readonly number[]);
    const weights = Array.from({ length: count }, () => 0.5 + rng.uniform());
    const float = type === 'float32' ? output : more.node('Cast', [output], { to: 1 });
    const row = more.node('Reshape', [float, more.initializer(tensorFrom('int64', [2], [1, count]))]);
    return more.node('MatMul', [row, more.initializer(tensorFrom('float32', [count, 1], weights))]);
  });
  const loss = parts.reduce((sum, part) => more.node('Add', [sum, part]));
  more.output(loss);
  return { graph: inferShapes(more.build()).graph, loss, feeds, wanted: [...feeds.keys()] };
}

/** Inputs that have no gradient although they are floating: class weights and types. */
const CONSTANT_FROM: Readonly<Record<string, number>> = { CastLike: 1, SoftmaxCrossEntropyLoss: 2 };

function isVaried(op: string, tensor: Tensor, index: number, varied = Number.POSITIVE_INFINITY): boolean {
  return isFloat(tensor.type) && index < Math.min(CONSTANT_FROM[op] ?? Number.POSITIVE_INFINITY, varied);
}

function expectGradient(actual: Dense, dims: readonly number[], expected: readonly number[]): void {
  expect(actual.dims).toEqual(dims);
  const size = Math.max(1e-3, ...expected.map(Math.abs));
  const wrong = expected
    .map((value, i) => ({ i, expected: value, actual: actual.data[i] }))
    .filter((entry) => !(Math.abs(entry.actual - entry.expected) <= 1e-5 * size));
  expect(wrong).toEqual([]);
}
