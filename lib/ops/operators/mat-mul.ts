import type { Dim } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { broadcastExtents, broadcastOffsets, broadcastShapes } from '../broadcast';
import { matrixProduct } from '../coupling-layers';
import { emptyDense } from '../dense';
import { dimsOf, reshapeTo, sumToShape, transposeTo } from '../gradients';
import { matMulLayer } from '../layer-facets';
import type { Dense, Emitter, Operator, Precision } from '../operator';
import { NUMBERS, problem, required, typedAs } from '../schema';

/** ONNX MatMul-13: matrix product of the last two axes, the others broadcast (numpy.matmul). */
export const matMul: Operator = {
  op: 'MatMul',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('A', NUMBERS), typedAs(required('B', NUMBERS), 'A')],
    outputs: [required('Y', NUMBERS)],
    attributes: {},
  },
  infer: ({ node, inputs: [a, b] }) => {
    if (!a) return [];
    if (!a.shape || !b?.shape) return [{ type: a.type, shape: undefined }];
    const shape = inferProduct(a.shape, b.shape);
    if (typeof shape === 'string') return problem(node, 'shape-mismatch', shape);
    return [{ type: a.type, shape }];
  },
  evaluate: ([a, b], _, precision) => [multiply(a!, b!, a!.type, precision)],
  gradient: ({ node, emit, outputGradients, wants }) => {
    const [a, b] = node.inputs;
    const [aDims, bDims] = [dimsOf(emit, a), dimsOf(emit, b)];
    // Vectors become matrices of one row or one column, as in the forward product.
    const aMatrix = reshapeTo(emit, a, aDims.length === 1 ? [1, ...aDims] : aDims);
    const bMatrix = reshapeTo(emit, b, bDims.length === 1 ? [...bDims, 1] : bDims);
    const product = inferProduct(dimsOf(emit, aMatrix), dimsOf(emit, bMatrix)) as readonly number[];
    const dy = reshapeTo(emit, outputGradients[0]!, product);
    const gradients = dimsOf(emit, bMatrix).length === 2 ? sharedMatrix : batchedMatrices;
    const [da, db] = gradients(emit, aMatrix, bMatrix, dy, wants);
    return [da && reshapeTo(emit, da, aDims), db && reshapeTo(emit, db, bDims)];
  },
  coupling: matrixProduct,
  layer: matMulLayer,
  cost: ([a], [y]) => {
    const inner = a!.shape!.at(-1) as number;
    return { macs: elementCount(y!.shape as readonly number[]) * inner, elementOps: 0 };
  },
  quantization: { inputs: [{ role: 'activation' }, { role: 'weight', axis: -1 }], output: 'own' },
  lower: ({ inputs: [, b], constant }) =>
    constant(1) && b?.shape?.length === 2
      ? { kernel: 'fully-connected', transposeWeights: false, alpha: 1, beta: 0 }
      : { kernel: 'matmul', transpose: [false, false], alpha: 1, beta: 0 },
};

/** Shape of a matrix product by the rules of numpy.matmul, or what is wrong with the operands. */
function inferProduct(a: readonly Dim[], b: readonly Dim[]): Dim[] | string {
  if (a.length === 0 || b.length === 0) return `expected operands of rank >= 1, found [${a}] and [${b}]`;
  const inner = a[a.length - 1];
  const innerB = b.length === 1 ? b[0] : b[b.length - 2];
  if (typeof inner === 'number' && typeof innerB === 'number' && inner !== innerB)
    return `inner extents ${inner} and ${innerB} of [${a}] and [${b}] differ`;
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]);
  if (!batch) return `[${a}] and [${b}] do not broadcast`;
  return [...batch, ...(a.length > 1 ? [a[a.length - 2]] : []), ...(b.length > 1 ? [b[b.length - 1]] : [])];
}

/** Matrix product with sums in double precision, rounded once; `type` is the element type of the result. */
export function multiply(a: Dense, b: Dense, type: Dense['type'], precision: Precision): Dense {
  const aDims = a.dims.length === 1 ? [1, ...a.dims] : a.dims;
  const bDims = b.dims.length === 1 ? [...b.dims, 1] : b.dims;
  const [rows, inner] = aDims.slice(-2);
  const columns = bDims[bDims.length - 1];
  const batch = broadcastExtents(aDims.slice(0, -2), bDims.slice(0, -2));
  const [aOffsets, bOffsets] = [aDims, bDims].map((dims) => broadcastOffsets(dims.slice(0, -2), batch));
  const y = emptyDense(type, inferProduct(a.dims, b.dims) as number[], precision);
  for (let n = 0, out = 0; n < aOffsets.length; n++) {
    const [aBase, bBase] = [aOffsets[n] * rows * inner, bOffsets[n] * inner * columns];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += a.data[aBase + i * inner + k] * b.data[bBase + k * columns + j];
        y.data[out++] = sum;
      }
  }
  return y;
}

type Gradients = [string | undefined, string | undefined];
type Wants = (index: number) => boolean;

/** One matrix B for all rows of A: two plain products over the flattened rows. */
function sharedMatrix(emit: Emitter, a: string, b: string, dy: string, wants: Wants): Gradients {
  const aDims = dimsOf(emit, a);
  const [inner, columns] = dimsOf(emit, b);
  const rows = elementCount(aDims.slice(0, -1));
  const flatDy = reshapeTo(emit, dy, [rows, columns]);
  const da = () => reshapeTo(emit, emit.node('Gemm', [flatDy, b], { transB: 1 }), aDims);
  const db = () => emit.node('Gemm', [reshapeTo(emit, a, [rows, inner]), flatDy], { transA: 1 });
  return [wants(0) ? da() : undefined, wants(1) ? db() : undefined];
}

/** A stack of matrices on the right: products with transposes, then sums over broadcast axes. */
function batchedMatrices(emit: Emitter, a: string, b: string, dy: string, wants: Wants): Gradients {
  const da = () => sumToShape(emit, emit.node('MatMul', [dy, transposeMatrix(emit, b)]), dimsOf(emit, a));
  const db = () => sumToShape(emit, emit.node('MatMul', [transposeMatrix(emit, a), dy]), dimsOf(emit, b));
  return [wants(0) ? da() : undefined, wants(1) ? db() : undefined];
}

function transposeMatrix(emit: Emitter, value: string): string {
  const rank = dimsOf(emit, value).length;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return transposeTo(emit, value, [...axes.slice(0, -2), rank - 1, rank - 2]);
}
