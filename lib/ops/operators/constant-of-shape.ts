import type { Node } from '../../ir/graph';
import { type Tensor, tensorFrom } from '../../ir/tensor';
import { rankFrom, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { emptyDense, isFloat, toDense } from '../dense';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { EVERY_TYPE, required } from '../schema';

/** Tensor of the given shape filled with one value (float32 zero when attribute `value` is left out). */
export const constantOfShape: Operator = {
  op: 'ConstantOfShape',
  domain: '',
  since: 21,
  schema: {
    inputs: [required('input', ['int64'])],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { value: { kind: 'tensor' } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const fill = fillOf(node);
    const target = context.partial(0) ?? gaps(rankFrom(inputs[0]!));
    const shape = target?.map((dim, axis) => dim ?? unknownDim(node.outputs[0], axis));
    const count = shape && shape.length <= 1 ? knownDims(shape) : undefined;
    const total = count?.[0] ?? 1;
    const value = isFloat(fill.type) || !count || total > 1024 ? undefined : toDense(fill, 'float32').data[0];
    return [{ type: fill.type, shape, partial: value === undefined ? undefined : new Array(total).fill(value) }];
  },
  evaluate: ([target], node, precision) => {
    const fill = toDense(fillOf(node), precision);
    const result = emptyDense(fill.type, Array.from(target!.data), precision);
    result.data.fill(fill.data[0]);
    return [result];
  },
  cost: elementCost,
};

function fillOf(node: Node): Tensor {
  const entry = node.attributes.get('value');
  return entry?.kind === 'tensor' ? entry.value : tensorFrom('float32', [1], [0]);
}

function gaps(count: number | undefined): undefined[] | undefined {
  return count === undefined ? undefined : new Array<undefined>(count).fill(undefined);
}
