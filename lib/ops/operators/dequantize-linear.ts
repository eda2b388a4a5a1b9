import { elementCost } from '../cost';
import { emptyDense } from '../dense';
import type { Operator } from '../operator';
import { checkScales, QUANTIZED_TYPES, scaleIndices, scaleLayout } from '../quantizer';
import { dequantizationGradient } from '../quantizer-gradient';
import { optional, problem, required } from '../schema';

/** ONNX DequantizeLinear-21: `(x - zero_point) * scale`, per tensor, axis or block; the type is that of the scale. */
export const dequantizeLinear: Operator = {
  op: 'DequantizeLinear',
  domain: '',
  since: 21,
  schema: {
    inputs: [
      required('x', [...QUANTIZED_TYPES, 'int32']),
      required('x_scale', ['float32', 'float16', 'bfloat16']),
      optional('x_zero_point', [...QUANTIZED_TYPES, 'int32']),
    ],
    outputs: [required('y', ['float32', 'float16', 'bfloat16'])],
    attributes: { axis: { kind: 'int' }, block_size: { kind: 'int' } },
  },
  infer: (context) => {
    const [x, , zeroPoint] = context.inputs;
    if (zeroPoint && zeroPoint.type !== x!.type)
      return problem(context.node, 'type-mismatch', `a zero point of ${zeroPoint.type} for elements of ${x!.type}`);
    const wrong = checkScales(context);
    if (wrong) return problem(context.node, 'shape-mismatch', wrong);
    return [{ type: context.inputs[1]!.type, shape: context.inputs[0]!.shape }];
  },
  evaluate: ([x, scale, zeroPoint], node, precision) => {
    const { axis, block } = scaleLayout(node);
    const indices = scaleIndices(x!.dims, scale!.dims, axis, block);
    const y = emptyDense(scale!.type, x!.dims, precision);
    for (let i = 0; i < y.data.length; i++) {
      const steps = x!.data[i] - (zeroPoint ? zeroPoint.data[indices[i]] : 0);
      y.data[i] = Math.fround(steps) * scale!.data[indices[i]];
    }
    return [y];
  },
  gradient: dequantizationGradient,
  cost: elementCost,
  lower: () => ({ kernel: 'dequantize' }),
};
