import { elementwise } from '../coupling';
import type { Operator } from '../operator';
import { RELABEL } from '../relabel';
import { FLOATS, optional, problem, required } from '../schema';
import { attributeToInput, withoutAttributes } from '../upgrade-steps';

/** Inference form: its input, and a mask of ones. Training mode draws random numbers and is not evaluated here. */
export const dropout: Operator = {
  op: 'Dropout',
  traits: ['relabels'],
  domain: '',
  since: 13,
  schema: {
    inputs: [required('data', FLOATS), optional('ratio', FLOATS), optional('training_mode', ['bool'])],
    outputs: [required('output', FLOATS), optional('mask', ['bool'])],
    attributes: { seed: { kind: 'int' } },
  },
  // The ratio attribute says nothing at inference, but a model that goes on training needs it.
  upgrade: (node, from, emit) => [
    from < 12 ? attributeToInput(withoutAttributes(node, 'is_test'), emit, 'ratio', 1) : node,
  ],
  infer: ({ inputs: [data] }) => [
    { type: data!.type, shape: data!.shape },
    { type: 'bool', shape: data!.shape },
  ],
  evaluate: ([data, , training], node) => {
    if (training?.data[0]) throw new RangeError(`${node.name}: Dropout in training mode is random`);
    return [data!, { type: 'bool', dims: data!.dims, data: new Uint8Array(data!.data.length).fill(1) }];
  },
  ...RELABEL,
  coupling: elementwise,
  gradient: (context) =>
    context.node.inputs[2]
      ? problem(context.node, 'missing-gradient', 'training mode has no gradient; leave training_mode out')
      : RELABEL.gradient(context),
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }, { role: 'none' }], output: 'same' },
};
