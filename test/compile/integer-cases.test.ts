import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import { PLAN_OPS } from '../../lib/plan/plan-ops';
import { evaluateGraph } from '../ops/evaluate-graph';
import type { OpCase } from '../ops/op-case';
import { integers } from '../ops/op-case';
import { HASH, runEngine } from './run-case';

const FOLDER = join(__dirname, '../ops/cases');
const CASES = readdirSync(FOLDER).flatMap((file) =>
  (Object.values(require(join(FOLDER, file))) as (readonly OpCase[])[]).flat(),
);

/** Operators whose cases are run between int8 grids, too; those with weights have them as int8. */
const OPERATORS = [
  'Pad',
  'Tile',
  'Expand',
  'Trilu',
  'DepthToSpace',
  'SpaceToDepth',
  'Resize',
  'ConvTranspose',
  'PRelu',
  'Conv',
  'MaxPool',
  'GlobalMaxPool',
  'AveragePool',
];

const WEIGHTED = ['Conv', 'ConvTranspose', 'PRelu', 'MaxPool', 'GlobalMaxPool', 'AveragePool'];

/** Scales are powers of two and weights have few bits, so that float32 sums are exact in every order. */
const GRID = { input: 2 ** -5, weights: 2 ** -4, result: 2 ** -4 };

/** A case between a pair of borders: its first input is fed, its weights are int8, its bias is a multiple of their steps. */
function graphOf({ op, inputs, attributes, opset = 21 }: OpCase, type: 'int8' | 'uint8', result: number): Graph {
  const b = new GraphBuilder({ opset });
  const border = (value: string, scale: number, zero: number): string => {
    const grid = [
      b.initializer(tensorFrom('float32', [], [scale]), 'scale'),
      b.initializer(tensorFrom(type, [], [zero]), 'zero'),
    ];
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, ...grid]), ...grid]);
  };
  const constant = (tensor: Tensor, index: number): string => {
    const count = elementCount(tensor.dims);
    if (!WEIGHTED.includes(op)) return b.initializer(tensor, `c${index}`);
    if (tensor.dims.length === 1 && op !== 'PRelu') {
      const steps = Array.from({ length: count }, (_, i) => ((i * 37) % 200) * GRID.input * GRID.weights);
      return b.initializer(tensorFrom('float32', tensor.dims, steps), `c${index}`);
    }
    const scale = b.initializer(tensorFrom('float32', [], [GRID.weights]), 'scale');
    return b.node('DequantizeLinear', [b.initializer(integers('int8', tensor.dims, -12, 12), 'weights'), scale]);
  };
  const [x, ...others] = inputs;
  const names = [
    border(b.input('x', 'float32', x!.dims), GRID.input, type === 'int8' ? -3 : 117),
    ...others.map((tensor, index) => (tensor === undefined ? '' : constant(tensor, index + 1))),
  ];
  const [y] = b.nodes(op, names, 1, attributes);
  b.output(border(y, result, type === 'int8' ? 5 : 131));
  return b.build();
}

/** What is computed in float, whatever stands around it: mixtures of elements, averages over volumes; and what is refused. */
function staysFloat({ op, attributes, inputs, outputs }: OpCase): boolean {
  const isCrop = attributes?.coordinate_transformation_mode === 'tf_crop_and_resize';
  const isMixture = op === 'Resize' && attributes?.mode !== undefined && (attributes.mode !== 'nearest' || isCrop);
  return isMixture || (op === 'AveragePool' && inputs[0]!.dims.length === 5) || outputs === 2;
}

const runnable = CASES.flatMap((item) => {
  const [x] = item.inputs;
  if (x?.type !== 'float32' || !OPERATORS.includes(item.op) || (item.opset ?? 21) < 21 || staysFloat(item)) return [];
  return (['int8', 'uint8'] as const).map((type) => {
    const source = graphOf(item, type, type === 'int8' ? GRID.input : GRID.result);
    return { name: `${item.op} on ${type}: ${item.title}`, op: item.op, source, x };
  });
});

test('every operator of the list has cases', () => {
  expect([...new Set(runnable.map(({ op }) => op))].sort()).toEqual([...OPERATORS].sort());
});

test.each(runnable)('$name', ({ source, x }) => {
  const { graph } = prepare(source);
  const { plan, description } = compile(graph, { sourceHash: HASH });
  const [{ nodes }] = description.variants;
  expect(nodes.filter(({ op }) => PLAN_OPS[op].domain === 'float').map(({ op }) => op)).toEqual([]);
  const expected = evaluateGraph(source, new Map([['x', toDense(x, 'float32')]]), 'float32');
  const found = runEngine(plan, new Map([['x', x]]));
  const [y] = graph.outputs;
  expect(Array.from(found[y])).toEqual(Array.from(expected.get(y)!.data));
});
