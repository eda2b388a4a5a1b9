import { attribute } from '../../ir/attribute';
import { normalizeAxis } from '../axes';
import { int64s } from '../gradients';
import type { Operator } from '../operator';
import { problem } from '../schema';
import { softmaxOperator } from '../softmax-family';

/** ONNX LogSoftmax-13: `x - log(sum(exp(x)))` along one axis. */
export const logSoftmax: Operator = {
  ...softmaxOperator('LogSoftmax'),
  distribution: 'logarithms',
  // dx = dy - exp(y) * sum(dy)
  gradient: ({ node, emit, outputGradients }) => {
    const dy = outputGradients[0]!;
    const axes = int64s(emit, [attribute(node, 'axis', 'int', -1)]);
    const total = emit.node('ReduceSum', [dy, axes], { keepdims: 1 });
    return [emit.node('Sub', [dy, emit.node('Mul', [emit.node('Exp', [node.outputs[0]]), total])])];
  },
  lower: ({ node, inputs: [x] }) => {
    const axis = x?.shape && normalizeAxis(attribute(node, 'axis', 'int', -1), x.shape.length);
    if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
    return { kernel: 'relative', axes: [axis], reduction: 'log_sum_exp', operation: 'subtract' };
  },
};
