import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { normalizeAxis } from './axes';
import { elementCost } from './cost';
import { axesApart } from './coupling';
import { emptyLike } from './dense';
import type { Dense, Operator, UpgradeEmitter } from './operator';
import { FLOATS, problem, required } from './schema';
import { withAttributes } from './upgrade-steps';

/** Softmax, LogSoftmax or Hardmax without their gradients and kernels: same shapes, same history. */
export function softmaxOperator(op: 'Softmax' | 'LogSoftmax' | 'Hardmax'): Operator {
  return {
    op,
    domain: '',
    since: 13,
    schema: {
      inputs: [required('input', FLOATS)],
      outputs: [required('output', FLOATS)],
      attributes: { axis: { kind: 'int' } },
    },
    upgrade: upgradeFlattened,
    infer: ({ node, inputs: [x] }) => {
      const axis = attribute(node, 'axis', 'int', -1);
      if (x!.shape && normalizeAxis(axis, x!.shape.length) === undefined)
        return problem(node, 'bad-axis', `axis ${axis} is not one of [${x!.shape}]`);
      return [{ type: x!.type, shape: x!.shape }];
    },
    evaluate: ([x], node) => {
      const axis = attribute(node, 'axis', 'int', -1);
      return [op === 'Hardmax' ? hardmaxAlong(x!, axis) : softmaxAlong(x!, axis, op === 'LogSoftmax')];
    },
    coupling: axesApart(
      (axis, { node, inputs: [x] }) => axis === normalizeAxis(attribute(node, 'axis', 'int', -1), x!.shape!.length),
    ),
    cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 4),
    quantization: { inputs: [{ role: 'none' }], output: 'float' },
  };
}

/** Softmax of `x` along `axis`, or its logarithm; the largest element is subtracted first, so that nothing overflows. */
export function softmaxAlong(x: Dense, axis: number, logarithm: boolean): Dense {
  const y = emptyLike(x, x.dims);
  const at = normalizeAxis(axis, x.dims.length)!;
  const extent = x.dims[at];
  const inner = elementCount(x.dims.slice(at + 1));
  for (let outer = 0; outer < x.data.length; outer += extent * inner)
    for (let start = outer; start < outer + inner; start++) {
      let largest = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < extent; i++) largest = Math.max(largest, x.data[start + i * inner]);
      let sum = 0;
      for (let i = 0; i < extent; i++) sum += Math.exp(x.data[start + i * inner] - largest);
      for (let i = 0; i < extent; i++) {
        const shifted = x.data[start + i * inner] - largest;
        y.data[start + i * inner] = logarithm ? shifted - Math.log(sum) : Math.exp(shifted) / sum;
      }
    }
  return y;
}

/** 1 for the first of the largest elements along `axis`, 0 for the others. */
function hardmaxAlong(x: Dense, axis: number): Dense {
  const y = emptyLike(x, x.dims);
  const at = normalizeAxis(axis, x.dims.length)!;
  const [extent, inner] = [x.dims[at], elementCount(x.dims.slice(at + 1))];
  for (let outer = 0; outer < x.data.length; outer += extent * inner)
    for (let start = outer; start < outer + inner; start++) {
      let best = start;
      for (let i = 1; i < extent; i++) if (x.data[start + i * inner] > x.data[best]) best = start + i * inner;
      y.data[best] = 1;
    }
  return y;
}

/**
 * Below opset 13 the input counts as a matrix: axes from `axis` (default 1) on are one. Where that is one real axis the
 * node stays; otherwise it works between a Flatten and a Reshape.
 */
function upgradeFlattened(node: Node, _from: number, emit: UpgradeEmitter): readonly Node[] {
  const axis = attribute(node, 'axis', 'int', 1);
  const withAxis = (value: number) => withAttributes(node, new Map([['axis', { kind: 'int', value }]]));
  const shape = emit.typeOf(node.inputs[0])?.shape;
  if (shape) {
    const first = normalizeAxis(axis, shape.length) ?? shape.length;
    if (first < shape.length && shape.slice(first + 1).every((dim) => dim === 1)) return [withAxis(first)];
  }
  const [flat, soft, dims] = ['flat', 'soft', 'dims'].map((hint) => emit.fresh(`${node.outputs[0]}_${hint}`));
  const plain = { domain: '', attributes: new Map() };
  const [input] = node.inputs;
  return [
    { ...withAxis(axis), name: emit.fresh(`${node.name}_flatten`), op: 'Flatten', inputs: [input], outputs: [flat] },
    { ...withAxis(-1), inputs: [flat], outputs: [soft] },
    { ...plain, name: emit.fresh(`${node.name}_shape`), op: 'Shape', inputs: [input], outputs: [dims] },
    { ...plain, name: emit.fresh(`${node.name}_reshape`), op: 'Reshape', inputs: [soft, dims], outputs: node.outputs },
  ];
}
