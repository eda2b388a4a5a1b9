import type { Operator } from '../operator';
import { EVERY_TYPE, oneOf, problem, required } from '../schema';
import { attributeToInput } from '../upgrade-steps';
import { fromUpsample, resize } from './resize';

/** Ancestor of Resize, withdrawn in opset 10; it exists here only to be upgraded. */
export const upsample: Operator = {
  op: 'Upsample',
  domain: '',
  since: 10,
  schema: {
    inputs: [required('X', EVERY_TYPE), required('scales', ['float32'])],
    outputs: [required('Y', EVERY_TYPE)],
    attributes: { mode: oneOf('nearest', 'linear', 'cubic') },
  },
  upgrade: (node, from, emit) => [fromUpsample(from < 9 ? attributeToInput(node, emit, 'scales', 1) : node)],
  infer: ({ node }) => problem(node, 'withdrawn-operator', `use ${resize.op}: Upsample ended with opset 9`),
};
