import { attribute } from '../../ir/attribute';
import type { Dim, Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { broadcastOffsets, broadcastShapes } from '../broadcast';
import { gemmCoupling } from '../coupling-layers';
import { emptyLike } from '../dense';
import { dimsOf, floats, sumToShape } from '../gradients';
import { gemmLayer } from '../layer-facets';
import type { Emitter, Operator } from '../operator';
import { NUMBERS, optional, problem, required, typedAs } from '../schema';

/** ONNX Gemm-13: `Y = alpha * A' * B' + beta * C`, where A' and B' are A and B or their transposes. */
export const gemm: Operator = {
  op: 'Gemm',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('A', NUMBERS), typedAs(required('B', NUMBERS), 'A'), typedAs(optional('C', NUMBERS), 'A')],
    outputs: [required('Y', NUMBERS)],
    attributes: {
      alpha: { kind: 'float' },
      beta: { kind: 'float' },
      transA: { kind: 'int' },
      transB: { kind: 'int' },
    },
  },
  infer: ({ node, inputs: [a, b, c] }) => {
    if (!a) return [];
    if (!a.shape || !b?.shape) return [{ type: a.type, shape: undefined }];
    if (a.shape.length !== 2 || b.shape.length !== 2)
      return problem(node, 'shape-mismatch', `expected two matrices, found [${a.shape}] and [${b.shape}]`);
    const { transA, transB } = formOf(node);
    const [rows, inner] = transA ? [a.shape[1], a.shape[0]] : a.shape;
    const [innerB, columns] = transB ? [b.shape[1], b.shape[0]] : b.shape;
    if (typeof inner === 'number' && typeof innerB === 'number' && inner !== innerB)
      return problem(
        node,
        'shape-mismatch',
        `inner extents ${inner} and ${innerB} of [${a.shape}] and [${b.shape}] differ`,
      );
    const shape: Dim[] = [rows, columns];
    const grown = c?.shape && broadcastShapes([shape, c.shape]);
    const differs = (dim: Dim, axis: number) =>
      typeof dim === 'number' && typeof shape[axis] === 'number' && dim !== shape[axis];
    if (c?.shape && (grown?.length !== 2 || grown.some(differs)))
      return problem(node, 'shape-mismatch', `C of shape [${c.shape}] does not broadcast to [${shape}]`);
    return [{ type: a.type, shape }];
  },
  evaluate: ([a, b, c], node) => {
    const { transA, transB, alpha, beta } = formOf(node);
    const [rows, inner] = transA ? [a!.dims[1], a!.dims[0]] : a!.dims;
    const columns = transB ? b!.dims[0] : b!.dims[1];
    const [aRow, aInner] = transA ? [1, rows] : [inner, 1];
    const [bInner, bColumn] = transB ? [1, inner] : [columns, 1];
    const y = emptyLike(a!, [rows, columns]);
    const cOffsets = c && broadcastOffsets(c.dims, y.dims);
    for (let i = 0, out = 0; i < rows; i++)
      for (let j = 0; j < columns; j++, out++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += a!.data[i * aRow + k * aInner] * b!.data[k * bInner + j * bColumn];
        y.data[out] = alpha * sum + (cOffsets ? beta * c.data[cOffsets[out]] : 0);
      }
    return [y];
  },
  gradient: ({ node, emit, outputGradients, wants }) => {
    const [a, b, c] = node.inputs;
    const dy = outputGradients[0]!;
    const { transA, transB, alpha, beta } = formOf(node);
    // dA' = dY * B'^T and dB' = A'^T * dY; a transposed operand swaps the factors.
    const product = (left: string, right: string, transLeft: boolean, transRight: boolean): string =>
      emit.node('Gemm', [left, right], {
        transA: Number(transLeft),
        transB: Number(transRight),
        alpha: { kind: 'float', value: alpha },
      });
    const da = () => (transA ? product(b, dy, transB, true) : product(dy, b, false, !transB));
    const db = () => (transB ? product(dy, a, true, transA) : product(a, dy, !transA, false));
    const dc = () => sumToShape(emit, scale(emit, dy, beta), dimsOf(emit, c));
    return [wants(0) ? da() : undefined, wants(1) ? db() : undefined, c && wants(2) ? dc() : undefined];
  },
  coupling: gemmCoupling,
  layer: gemmLayer,
  cost: ([a], [y], node) => {
    const aDims = a!.shape as readonly number[];
    const inner = formOf(node).transA ? aDims[0] : aDims[1];
    return { macs: elementCount(y!.shape as readonly number[]) * inner, elementOps: 0 };
  },
  quantization: (node) => ({
    inputs: [{ role: 'activation' }, { role: 'weight', axis: formOf(node).transB ? 0 : 1 }, { role: 'bias' }],
    output: 'own',
  }),
  lower: ({ node, inputs, outputs: [y], constant }) => {
    const { transA, transB, alpha, beta } = formOf(node);
    const c = node.inputs[2] ? inputs[2]?.shape : undefined;
    const columns = y?.shape?.at(-1);
    const perColumn =
      c === undefined ||
      (constant(2) && c.every((dim, axis) => dim === 1 || (axis === c.length - 1 && dim === columns)));
    // Without C its factor means nothing, even where it is infinite.
    const factors = { alpha, beta: node.inputs[2] ? beta : 1 };
    return constant(1) && perColumn && !transA
      ? { kernel: 'fully-connected', transposeWeights: transB, ...factors }
      : { kernel: 'matmul', transpose: [transA, transB], ...factors };
  },
};

function formOf(node: Node): { transA: boolean; transB: boolean; alpha: number; beta: number } {
  return {
    transA: attribute(node, 'transA', 'int', 0) !== 0,
    transB: attribute(node, 'transB', 'int', 0) !== 0,
    alpha: attribute(node, 'alpha', 'float', 1),
    beta: attribute(node, 'beta', 'float', 1),
  };
}

function scale(emit: Emitter, value: string, factor: number): string {
  return factor === 1 ? value : emit.node('Mul', [value, floats(emit, [factor])]);
}
