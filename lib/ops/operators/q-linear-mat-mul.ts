import { emptyDense } from '../dense';
import type { Dense, Operator } from '../operator';
import { checkIntegerGrids, saturate } from '../quantizer';
import { problem, required } from '../schema';
import { matMul, multiply } from './mat-mul';
import { centre } from './q-linear-conv';

const BYTES = ['int8', 'uint8'] as const;
const SCALES = ['float32', 'float16', 'bfloat16'] as const;

/**
 * ONNX QLinearMatMul-21: product of `a - a_zero_point` and `b - b_zero_point` in integers, brought to the output scale by
 * `fl(fl(a_scale * b_scale) / y_scale)`. The scale of `a` may be per row, that of `b` per column.
 */
export const qLinearMatMul: Operator = {
  op: 'QLinearMatMul',
  domain: '',
  since: 21,
  schema: {
    inputs: ['a', 'b', 'y'].flatMap((name) => [
      ...(name === 'y' ? [] : [required(name, BYTES)]),
      required(`${name}_scale`, SCALES),
      required(`${name}_zero_point`, BYTES),
    ]),
    outputs: [required('y', BYTES)],
    attributes: {},
  },
  infer: (context) => {
    const { node, inputs } = context;
    const wrong = checkIntegerGrids(context, { 1: inputs[0]!.shape?.at(-2), 4: inputs[3]!.shape?.slice(1).at(-1) });
    if (wrong) return problem(node, 'shape-mismatch', wrong);
    const inferred = matMul.infer({ ...context, inputs: [inputs[0], inputs[3]] });
    if ('kind' in inferred) return inferred;
    return [{ type: inputs[7]!.type, shape: inferred[0].shape }];
  },
  evaluate: (inputs, _, precision) => {
    const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = inputs as readonly Dense[];
    const columns = b.dims.length === 1 ? 1 : b.dims[b.dims.length - 1];
    const rows = a.dims.length === 1 ? 1 : a.dims[a.dims.length - 2];
    const inner = a.dims[a.dims.length - 1];
    const rowOf = (parameter: Dense, row: number) => parameter.data[parameter.data.length === 1 ? 0 : row % rows];
    const columnOf = (parameter: Dense, column: number) =>
      parameter.data[parameter.data.length === 1 ? 0 : column % columns];
    const shiftedA = centre(a, (i) => rowOf(aZero, Math.floor(i / inner)));
    const sums = multiply(
      shiftedA,
      centre(b, (i) => columnOf(bZero, i)),
      'int32',
      precision,
    );
    const y = emptyDense(yZero.type, sums.dims, precision);
    for (let i = 0; i < y.data.length; i++) {
      const product = Math.fround(rowOf(aScale, Math.floor(i / columns)) * columnOf(bScale, i));
      const multiplier = Math.fround(product / yScale.data[0]);
      y.data[i] = saturate(Math.fround(Math.fround(sums.data[i]) * multiplier), yZero.data[0], yZero.type);
    }
    return [y];
  },
  cost: (inputs, outputs, node) => matMul.cost!([inputs[0], inputs[3]], outputs, node),
};
