import { attribute, attributes } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { elementCount, type Tensor } from '../ir/tensor';
import { emptyDense, fromDense, toDense } from '../ops/dense';
import type { Rewrite, RewriteContext, Rule } from './rewrite';

/** Adding one constant per output channel to a Conv or Gemm becomes its bias. */
export const absorbBias: Rule = (add, context) => {
  const match = constantOperand(add, 'Add', context);
  if (!match) return undefined;
  const linear = context.producer(match.value);
  if (linear?.domain !== '' || context.onlyConsumer(match.value) !== add) return undefined;
  const channels = channelsOf(linear, context);
  const rank = context.typeOf(match.value)?.shape?.length;
  if (channels === undefined || rank === undefined) return undefined;
  const added = perChannel(match.tensor, channels, linear.op === 'Conv' ? 1 : rank - 1, rank);
  const old = biasOf(linear, channels, context);
  if (!added || !old) return undefined;
  const sum = emptyDense('float32', [channels], 'float64');
  for (let c = 0; c < channels; c++) sum.data[c] = old[c] + added[c];
  const bias = context.add(`${linear.outputs[0]}_bias`, fromDense(sum));
  const merged: Node = { ...linear, inputs: [linear.inputs[0], linear.inputs[1], bias], outputs: add.outputs };
  return {
    replace: new Map<Node, readonly Node[]>([
      [linear, []],
      [add, [merged]],
    ]),
  };
};

/** A matrix product with constant weights plus one constant per column becomes a Gemm. */
export const matMulToGemm: Rule = (add, context) => {
  const match = constantOperand(add, 'Add', context);
  if (!match) return undefined;
  const product = context.producer(match.value);
  if (product?.op !== 'MatMul' || product.domain !== '' || context.onlyConsumer(match.value) !== add) return undefined;
  const weights = context.constant(product.inputs[1]);
  const rank = context.typeOf(product.inputs[0])?.shape?.length;
  if (rank !== 2 || weights?.type !== 'float32' || weights.dims.length !== 2) return undefined;
  const added = perChannel(match.tensor, weights.dims[1], 1, 2);
  if (!added) return undefined;
  const vector = emptyDense('float32', [weights.dims[1]], 'float32');
  vector.data.set(added);
  const bias = context.add(`${add.outputs[0]}_bias`, fromDense(vector));
  const gemm: Node = { ...product, op: 'Gemm', inputs: [...product.inputs, bias], outputs: add.outputs };
  return {
    replace: new Map<Node, readonly Node[]>([
      [product, []],
      [add, [gemm]],
    ]),
  };
};

/** `x - c` is `x + (-c)`, and `x / 2^k` is `x * 2^-k`: the same bits, and one operator less to serve. */
export const subtractToAdd: Rule = (node, context) => {
  if (node.domain !== '' || (node.op !== 'Sub' && node.op !== 'Div')) return undefined;
  const tensor = context.constant(node.inputs[1]);
  if (tensor?.type !== 'float32' || context.constant(node.inputs[0])) return undefined;
  const dense = toDense(tensor, 'float32');
  if (node.op === 'Div' && !(dense.data as Float32Array).every(isPowerOfTwo)) return undefined;
  for (let i = 0; i < dense.data.length; i++) dense.data[i] = node.op === 'Sub' ? -dense.data[i] : 1 / dense.data[i];
  const constant = context.add(`${node.inputs[1]}_${node.op === 'Sub' ? 'negative' : 'reciprocal'}`, fromDense(dense));
  return replaceBy(node, { ...node, op: node.op === 'Sub' ? 'Add' : 'Mul', inputs: [node.inputs[0], constant] });
};

/** Powers of two whose reciprocal is a normal number too. */
function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126;
}

/** The mean over all spatial axes is a global average pool. */
export const meanToPool: Rule = (node, context) => {
  if (node.op !== 'ReduceMean' || node.domain !== '' || !node.inputs[1]) return undefined;
  const type = context.typeOf(node.inputs[0]);
  const axes = context.constant(node.inputs[1]);
  if (type?.type !== 'float32' || type.shape?.length !== 4 || !axes) return undefined;
  const spatial = Array.from(toDense(axes, 'float32').data, (axis: number) => (axis < 0 ? axis + 4 : axis)).sort();
  if (spatial.join() !== '2,3') return undefined;
  const pool = { ...node, op: 'GlobalAveragePool', inputs: [node.inputs[0]], attributes: new Map() };
  if (attribute(node, 'keepdims', 'int', 1)) return replaceBy(node, pool);
  const pooled = context.fresh(`${node.outputs[0]}_pooled`);
  const flat: Node = {
    ...pool,
    name: context.fresh(`${node.name}_flatten`),
    op: 'Flatten',
    inputs: [pooled],
    attributes: attributes({ axis: 1 }),
  };
  return replaceBy(node, { ...pool, outputs: [pooled] }, flat);
};

export function replaceBy(node: Node, ...nodes: readonly Node[]): Rewrite {
  return { replace: new Map([[node, nodes]]) };
}

/** The constant and the other operand of a commutative node of operator `op`. */
function constantOperand(
  node: Node,
  op: string,
  context: RewriteContext,
): { tensor: Tensor; value: string } | undefined {
  if (node.op !== op || node.domain !== '') return undefined;
  for (const index of [0, 1]) {
    const tensor = context.constant(node.inputs[index]);
    if (tensor?.type === 'float32') return { tensor, value: node.inputs[1 - index] };
  }
  return undefined;
}

/** Output channels of a Conv or plain Gemm with constant weights. */
function channelsOf(node: Node, context: RewriteContext): number | undefined {
  const weights = context.constant(node.inputs[1] ?? '');
  if (weights?.type !== 'float32') return undefined;
  if (node.op === 'Conv') return weights.dims[0];
  if (node.op !== 'Gemm' || attribute(node, 'beta', 'float', 1) !== 1) return undefined;
  return weights.dims[attribute(node, 'transB', 'int', 0) ? 0 : 1];
}

/** Bias of a Conv or Gemm, zeros where there is none; undefined when it is not one constant per channel. */
function biasOf(node: Node, channels: number, context: RewriteContext): ArrayLike<number> | undefined {
  const name = node.inputs[2] ?? '';
  if (name === '') return new Float64Array(channels);
  const tensor = context.constant(name);
  return tensor && tensor.dims.length <= 2 ? perChannel(tensor, channels, 1, 2) : undefined;
}

/** The tensor as one number per index of `axis`, when broadcasting to `rank` axes it varies along no other. */
function perChannel(tensor: Tensor, channels: number, axis: number, rank: number): ArrayLike<number> | undefined {
  const { data } = toDense(tensor, 'float64');
  if (tensor.dims.length > rank) return undefined;
  if (elementCount(tensor.dims) === 1) return new Float64Array(channels).fill(data[0]);
  const at = tensor.dims.length - (rank - axis);
  const fits = tensor.dims.every((dim, i) => dim === (i === at ? channels : 1));
  return fits && at >= 0 ? data : undefined;
}
