import { attribute } from '../../ir/attribute';
import { normalizeAxis } from '../axes';
import { int64s } from '../gradients';
import type { Operator } from '../operator';
import { problem } from '../schema';
import { softmaxOperator } from '../softmax-family';

/** ONNX Softmax-13: `exp(x) / sum(exp(x))` along one axis. */
export const softmax: Operator = {
  ...softmaxOperator('Softmax'),
  distribution: 'probabilities',
  // dx = y * (dy - sum(dy * y))
  gradient: ({ node, emit, outputGradients }) => {
    const y = node.outputs[0];
    const axes = int64s(emit, [attribute(node, 'axis', 'int', -1)]);
    const total = emit.node('ReduceSum', [emit.node('Mul', [outputGradients[0]!, y]), axes], { keepdims: 1 });
    return [emit.node('Mul', [y, emit.node('Sub', [outputGradients[0]!, total])])];
  },
  lower: ({ node, inputs: [x] }) => {
    const axis = x?.shape && normalizeAxis(attribute(node, 'axis', 'int', -1), x.shape.length);
    if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
    return { kernel: 'softmax', axis };
  },
};
