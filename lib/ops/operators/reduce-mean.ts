import { elementCount } from '../../ir/tensor';
import { dimsOf, floats, spreadOver } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Mean over axes. */
export const reduceMean: Operator = {
  traits: ['averages'],
  ...reduction({
    op: 'ReduceMean',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 0,
    step: (sum, x) => sum + x,
    finish: (sum, count) => sum / count,
  }),
  ...engineAccumulation('mean'),
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const [input, output] = [node.inputs[0], node.outputs[0]].map((value) => elementCount(dimsOf(emit, value)));
    return [spreadOver(context, emit.node('Mul', [outputGradients[0]!, floats(emit, [output / input])]))];
  },
};
