import { float, floats, integers, type OpCase, uniform } from '../op-case';

function matMul(title: string, a: readonly number[], b: readonly number[]): OpCase {
  return { op: 'MatMul', title, inputs: [uniform(a), uniform(b, 2)] };
}

function quantized(title: string, perColumn: boolean): OpCase {
  return {
    op: 'QLinearMatMul',
    title,
    tolerance: 0,
    inputs: [
      integers('uint8', [2, 4, 6], 0, 255),
      floats([0.02], []),
      integers('uint8', [], 113, 113),
      integers('int8', [6, 3], -127, 127, 2),
      perColumn ? floats([0.01, 0.03, 0.002]) : floats([0.01], []),
      integers('int8', perColumn ? [3] : [], 0, 0),
      floats([0.3], []),
      integers('uint8', [], 90, 90),
    ],
  };
}

/** Gemm, MatMul, QLinearMatMul and LSTM. */
export const MATRICES: readonly OpCase[] = [
  { op: 'Gemm', title: 'plain', inputs: [uniform([3, 4]), uniform([4, 5], 2)] },
  {
    op: 'Gemm',
    title: 'transposed, scaled, broadcast C',
    attributes: { transA: 1, transB: 1, alpha: float(0.5), beta: float(-2) },
    inputs: [uniform([4, 3]), uniform([5, 4], 2), uniform([5], 3)],
  },
  {
    op: 'Gemm',
    title: 'C by rows',
    attributes: { transB: 1 },
    inputs: [uniform([3, 4]), uniform([5, 4], 2), uniform([3, 1], 3)],
  },
  {
    op: 'Gemm',
    title: 'transposed left, scaled C by rows',
    attributes: { transA: 1, alpha: float(1.5), beta: float(0.25) },
    inputs: [uniform([4, 3]), uniform([4, 5], 2), uniform([3, 1], 3)],
  },
  {
    op: 'Gemm',
    title: 'beta 0',
    attributes: { transB: 1, beta: float(0) },
    inputs: [uniform([3, 4]), uniform([5, 4], 2), uniform([3, 5], 3)],
  },
  matMul('matrices', [3, 4], [4, 5]),
  matMul('stack times matrix', [2, 3, 4], [4, 5]),
  matMul('broadcast stacks', [2, 1, 3, 4], [3, 4, 2]),
  matMul('vector times matrix', [4], [4, 5]),
  matMul('stack times vector', [2, 3, 4], [4]),
  matMul('two vectors', [4], [4]),
  matMul('vector times stack', [4], [2, 4, 3]),
  matMul('broadcast over two axes', [2, 3, 1, 5, 4], [3, 2, 4, 6]),
  matMul('many columns', [2, 7, 19], [2, 19, 70]),
  matMul('one column', [3, 20, 6], [3, 6, 1]),
  matMul('deep', [3, 300], [300, 18]),
  quantized('one scale', false),
  quantized('scale per column', true),
];
