import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { differentiate } from '../../lib/train/differentiate';
import { evaluateGraph } from '../ops/evaluate-graph';
import { floats, type OpCase } from '../ops/op-case';

type NodeCase = Pick<OpCase, 'op' | 'attributes' | 'inputs'>;

/** Gradients of the sum of a node's output, by input; float32 inputs are graph inputs, others constants. */
function differentiateSum({ op, attributes, inputs }: NodeCase) {
  const builder = new GraphBuilder();
  const names = inputs.map((tensor, index) => {
    if (tensor!.type !== 'float32') return builder.initializer(tensor!);
    return builder.input(`in${index}`, tensor!.type, tensor!.dims);
  });
  const y = builder.node(op, names, attributes);
  builder.output(builder.node('ReduceSum', [y], { keepdims: 0 }));
  const { graph } = inferShapes(builder.build());
  return differentiate(graph, graph.outputs[0], graph.inputs);
}

test.each<[string, NodeCase, number[][]]>([
  [
    'rounding is straight-through: its derivative counts as 1',
    { op: 'Round', inputs: [floats([-1.2, 0, 0.5, 7.9])] },
    [[1, 1, 1, 1]],
  ],
  [
    'of equal operands the first takes the gradient of Max',
    { op: 'Max', inputs: [floats([1, 2, 3]), floats([1, 3, 0]), floats([1, 3, 3])] },
    [
      [1, 0, 1],
      [0, 1, 0],
      [0, 0, 0],
    ],
  ],
  [
    'equal maxima share the gradient of ReduceMax',
    { op: 'ReduceMax', inputs: [floats([4, 1, 4, 0])] },
    [[0.5, 0, 0.5, 0]],
  ],
  ['the length of a zero vector has gradient 0', { op: 'ReduceL2', inputs: [floats([0, 0])] }, [[0, 0]]],
  [
    'a power of 0 has gradient 0 in its exponent',
    { op: 'Pow', inputs: [floats([0, 1]), floats([2, 3])] },
    [
      [0, 3],
      [0, 0],
    ],
  ],
  [
    'a bound of Clip gets the gradients of the elements that it holds',
    { op: 'Clip', inputs: [floats([-2, -1, 0, 5, 0.5]), floats([-0.5], []), floats([1], [])] },
    [[0, 0, 1, 0, 1], [2], [1]],
  ],
  [
    'what an empty slice was taken from has gradient 0',
    { op: 'Slice', inputs: [floats([1, 2, 3]), tensorFrom('int64', [1], [2]), tensorFrom('int64', [1], [2])] },
    [[0, 0, 0]],
  ],
])('%s', (_, nodeCase, expected) => {
  const result = differentiateSum(nodeCase);
  if (!('graph' in result)) throw new Error(JSON.stringify(result));
  const feeds = nodeCase.inputs.flatMap((tensor, i) =>
    tensor!.type === 'float32' ? [[`in${i}`, toDense(tensor!, 'float64')] as const] : [],
  );
  const values = evaluateGraph(result.graph, new Map(feeds), 'float64');
  expect([...result.gradients.values()].map((name) => Array.from(values.get(name)!.data))).toEqual(expected);
});

const ROW = floats([1, 2, 3]);
const PLACE = tensorFrom('int64', [1], [1]);

test.each<[string, NodeCase]>([
  [
    'a product of updates',
    { op: 'ScatterElements', attributes: { reduction: 'mul' }, inputs: [ROW, PLACE, floats([2])] },
  ],
  ['a staircase', { op: 'Floor', inputs: [ROW] }],
])('%s has no gradient, and the answer says so', (_, nodeCase) => {
  expect(differentiateSum(nodeCase)).toMatchObject([{ kind: 'missing-gradient', where: nodeCase.op.toLowerCase() }]);
});
