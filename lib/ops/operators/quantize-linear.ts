import { attribute } from '../../ir/attribute';
import type { ElementType } from '../../ir/element-type';
import { elementCost } from '../cost';
import { emptyDense } from '../dense';
import type { InferContext, Operator } from '../operator';
import { checkScales, QUANTIZED_TYPES, saturate, scaleIndices, scaleLayout } from '../quantizer';
import { quantizationGradient } from '../quantizer-gradient';
import { FLAG, optional, problem, required } from '../schema';

/** Element types by their ONNX TensorProto number, as far as `output_dtype` may name them. */
const OUTPUT_TYPES: Readonly<Record<number, ElementType>> = {
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  21: 'uint4',
  22: 'int4',
};

/** ONNX QuantizeLinear-21: `saturate(round_half_to_even(fl(x / scale)) + zero_point)`, per tensor, axis or block. */
export const quantizeLinear: Operator = {
  op: 'QuantizeLinear',
  domain: '',
  since: 21,
  schema: {
    inputs: [
      required('x', ['float32', 'float16', 'bfloat16', 'int32']),
      required('y_scale', ['float32', 'float16', 'bfloat16', 'int32']),
      optional('y_zero_point', QUANTIZED_TYPES),
    ],
    outputs: [required('y', QUANTIZED_TYPES)],
    attributes: {
      axis: { kind: 'int' },
      block_size: { kind: 'int' },
      output_dtype: { kind: 'int' },
      saturate: FLAG,
    },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const type = outputType(context);
    if (!type) return problem(node, 'type-mismatch', 'expected an output_dtype among the 4-, 8- and 16-bit integers');
    const wrong = checkScales(context);
    return wrong ? problem(node, 'shape-mismatch', wrong) : [{ type, shape: inputs[0]!.shape }];
  },
  evaluate: ([x, scale, zeroPoint], node, precision) => {
    const type = zeroPoint?.type ?? OUTPUT_TYPES[attribute(node, 'output_dtype', 'int', 0)] ?? 'uint8';
    const { axis, block } = scaleLayout(node);
    const indices = scaleIndices(x!.dims, scale!.dims, axis, block);
    const y = emptyDense(type, x!.dims, precision);
    for (let i = 0; i < y.data.length; i++) {
      const quotient = Math.fround(Math.fround(x!.data[i]) / scale!.data[indices[i]]);
      y.data[i] = saturate(quotient, zeroPoint ? zeroPoint.data[indices[i]] : 0, type);
    }
    return [y];
  },
  gradient: quantizationGradient,
  cost: elementCost,
  lower: () => ({ kernel: 'quantize' }),
};

function outputType({ node, inputs: [, , zeroPoint] }: InferContext): ElementType | undefined {
  const given = attribute(node, 'output_dtype', 'int', 0);
  return zeroPoint?.type ?? (given === 0 ? 'uint8' : OUTPUT_TYPES[given]);
}
