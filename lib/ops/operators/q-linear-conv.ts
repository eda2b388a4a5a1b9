import { emptyDense, emptyLike } from '../dense';
import type { Dense, Operator } from '../operator';
import { checkIntegerGrids, saturate } from '../quantizer';
import { optional, problem, required } from '../schema';
import { conv, convolve } from './conv';

const BYTES = ['int8', 'uint8'] as const;

/**
 * ONNX QLinearConv-10: convolution of `x - x_zero_point` with `w - w_zero_point` in integers, plus int32 bias, brought to
 * the output scale by `fl(fl(x_scale * w_scale) / y_scale)`. The weight scale and zero point may be per filter.
 */
export const qLinearConv: Operator = {
  op: 'QLinearConv',
  domain: '',
  since: 10,
  schema: {
    inputs: [
      required('x', BYTES),
      required('x_scale', ['float32']),
      required('x_zero_point', BYTES),
      required('w', BYTES),
      required('w_scale', ['float32']),
      required('w_zero_point', BYTES),
      required('y_scale', ['float32']),
      required('y_zero_point', BYTES),
      optional('B', ['int32']),
    ],
    outputs: [required('y', BYTES)],
    attributes: conv.schema.attributes,
  },
  infer: (context) => {
    const { node, inputs } = context;
    const wrong = checkIntegerGrids(context, { 4: inputs[3]!.shape?.[0] });
    if (wrong) return problem(node, 'shape-mismatch', wrong);
    const inferred = conv.infer({ ...context, inputs: [inputs[0], inputs[3], inputs[8]] });
    if ('kind' in inferred) return inferred;
    return [{ type: inputs[7]!.type, shape: inferred[0].shape }];
  },
  evaluate: (inputs, node, precision) => {
    const [x, xScale, xZero, w, wScale, wZero, yScale, yZero] = inputs as readonly Dense[];
    const perFilter = w.data.length / w.dims[0];
    const shiftedX = centre(x, () => xZero.data[0]);
    const shiftedW = centre(w, (i) => wZero.data[wZero.data.length === 1 ? 0 : Math.floor(i / perFilter)]);
    const sums = convolve(shiftedX, shiftedW, inputs[8], node);
    const y = emptyDense(yZero.type, sums.dims, precision);
    const [filters, plane] = [w.dims[0], sums.data.length / (sums.dims[0] * w.dims[0])];
    for (let i = 0; i < y.data.length; i++) {
      const filter = Math.floor(i / plane) % filters;
      const product = Math.fround(xScale.data[0] * wScale.data[wScale.data.length === 1 ? 0 : filter]);
      const multiplier = Math.fround(product / yScale.data[0]);
      y.data[i] = saturate(Math.fround(Math.fround(sums.data[i]) * multiplier), yZero.data[0], yZero.type);
    }
    return [y];
  },
  cost: (inputs, outputs, node) => conv.cost!([inputs[0], inputs[3]], outputs, node),
};

/** `value - zeroPoint(i)` as int32. */
export function centre(value: Dense, zeroPoint: (i: number) => number): Dense {
  const sums = emptyLike({ type: 'int32', dims: [], data: new Int32Array() }, value.dims);
  for (let i = 0; i < sums.data.length; i++) sums.data[i] = value.data[i] - zeroPoint(i);
  return sums;
}
