import { attributes } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { type Tensor, tensorOf, toNumbers, viewAs } from '../ir/tensor';
import { keepsAxes } from '../ops/axes';
import {
  attributeIs,
  channelBiasOf,
  computed,
  hasChannelBias,
  hasRank,
  hasType,
  isPerChannel,
  notQuantized,
  perChannelOf,
} from './guards';
import { constant, node, optional, value } from './pattern';
import { type Rewrite, type Rule, replaceBy } from './rewrite';

const ADDED = { name: 'added', linear: 'linear', weights: 'w' } as const;

/** Constants behind a layer or an operator go into it. */
export const ABSORB_CONSTANTS: readonly Rule[] = [
  {
    name: 'subtract-to-add',
    summary: 'x - c becomes x + (-c): the same bits, and one operator less to serve',
    pattern: node('sub', 'Sub', [value('x'), constant('c', 'float32')]),
    guards: [computed('x')],
    replace: (match, context) => {
      const [sub, c] = [match.node('sub'), match.constant('c')];
      const negative = tensorOf(
        'float32',
        c.dims,
        viewAs(c, 'float32').map((each) => -each),
      );
      return replaceBy(sub, {
        ...sub,
        op: 'Add',
        inputs: [sub.inputs[0], context.add(`${sub.inputs[1]}_negative`, negative)],
      });
    },
  },
  {
    name: 'divide-to-multiply',
    summary: 'x / 2^k becomes x * 2^-k, where all reciprocals are exact: the same bits',
    pattern: node('div', 'Div', [value('x'), constant('c', 'float32', hasExactReciprocals)]),
    guards: [computed('x')],
    replace: (match, context) => {
      const [div, c] = [match.node('div'), match.constant('c')];
      const reciprocal = tensorOf(
        'float32',
        c.dims,
        viewAs(c, 'float32').map((each) => 1 / each),
      );
      return replaceBy(div, {
        ...div,
        op: 'Mul',
        inputs: [div.inputs[0], context.add(`${div.inputs[1]}_reciprocal`, reciprocal)],
      });
    },
  },
  {
    name: 'absorb-bias',
    summary: 'one constant per channel added to a Conv or Gemm becomes its bias',
    pattern: node(
      'add',
      'Add',
      [
        node('linear', ['Conv', 'Gemm'], [value('x'), constant('w', 'float32'), optional(constant('bias'))], {
          alone: true,
        }),
        constant('added', 'float32'),
      ],
      { anyOrder: true },
    ),
    guards: [
      attributeIs('linear', 'beta', 'float', 1),
      isPerChannel('added', 'linear', 'w'),
      hasChannelBias('linear', 'w', 'bias'),
    ],
    replace: (match, context) => {
      const [add, linear] = [match.node('add'), match.node('linear')];
      const added = perChannelOf(match, context, ADDED)!;
      const old = channelBiasOf(match, { linear: 'linear', weights: 'w', bias: 'bias' })!;
      const sum = Float32Array.from(old, (each, channel) => each + added[channel]);
      const bias = context.add(`${linear.outputs[0]}_bias`, tensorOf('float32', [sum.length], sum));
      const inputs = [linear.inputs[0], linear.inputs[1], bias];
      return replaceBy(add, { ...linear, inputs, outputs: add.outputs }, [linear]);
    },
  },
  {
    name: 'product-to-gemm',
    summary: 'a product with a constant matrix plus one constant per column becomes a Gemm',
    pattern: node(
      'add',
      'Add',
      [
        node('linear', 'MatMul', [value('x'), constant('w', 'float32', ({ dims }) => dims.length === 2)], {
          alone: true,
        }),
        constant('added', 'float32'),
      ],
      { anyOrder: true },
    ),
    guards: [hasRank('x', 2), isPerChannel('added', 'linear', 'w')],
    replace: (match, context) => {
      const [add, product] = [match.node('add'), match.node('linear')];
      const added = Float32Array.from(perChannelOf(match, context, ADDED)!);
      const bias = context.add(`${add.outputs[0]}_bias`, tensorOf('float32', [added.length], added));
      return replaceBy(add, { ...product, op: 'Gemm', inputs: [...product.inputs, bias], outputs: add.outputs }, [
        product,
      ]);
    },
  },
  {
    name: 'mean-to-pool',
    summary: 'the mean over both spatial axes becomes a global average pool',
    pattern: node('mean', 'ReduceMean', [value('x'), constant('axes', 'int64', areSpatial)]),
    guards: [hasType('x', 'float32'), hasRank('x', 4), notQuantized('mean')],
    replace: (match, context) => meanToPool(match.node('mean'), context.fresh),
  },
];

/** Whether all are powers of two whose reciprocals are normal numbers too: a division by them rounds as the product does. */
function hasExactReciprocals(tensor: Tensor): boolean {
  return viewAs(tensor, 'float32').every((each) => {
    const exponent = Math.log2(Math.abs(each));
    return Number.isInteger(exponent) && Math.abs(exponent) <= 126;
  });
}

/** Whether a constant names the axes 2 and 3 of four. */
function areSpatial(axes: Tensor): boolean {
  const positive = toNumbers(axes).map((axis) => (axis < 0 ? axis + 4 : axis));
  return positive.sort((a, b) => a - b).join() === '2,3';
}

function meanToPool(mean: Node, fresh: (hint: string) => string): Rewrite {
  const pool = { ...mean, op: 'GlobalAveragePool', inputs: [mean.inputs[0]], attributes: new Map() };
  if (keepsAxes(mean)) return replaceBy(mean, pool);
  const pooled = fresh(`${mean.outputs[0]}_pooled`);
  const flat: Node = {
    ...pool,
    name: fresh(`${mean.name}_flatten`),
    op: 'Flatten',
    inputs: [pooled],
    attributes: attributes({ axis: 1 }),
  };
  return replaceBy(mean, [{ ...pool, outputs: [pooled] }, flat]);
}
