import { attribute } from '../../ir/attribute';
import { noCost } from '../cost';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';

/** Domain of what graphs for the engine have besides ONNX; no file has it. */
export const ENGINE_DOMAIN = 'ai.hone';

/**
 * Its first input; a run fails where the second, a condition of one element, is not `value`: the graph was made without what that
 * asks for.
 */
export const requireOperator: Operator = {
  op: 'Require',
  domain: ENGINE_DOMAIN,
  since: 1,
  schema: {
    inputs: [required('x', EVERY_TYPE), required('condition', ['bool'])],
    outputs: [required('y', EVERY_TYPE)],
    attributes: { value: { kind: 'int', required: true } },
  },
  infer: ({ node, inputs }) => {
    const { shape } = inputs[1]!;
    if (shape?.some((dim) => dim !== 1))
      return problem(node, 'shape-mismatch', `expected a condition of one element, found [${shape}]`);
    return [inputs[0]!];
  },
  cost: noCost,
  lower: ({ node }) => ({ kernel: 'require', value: attribute(node, 'value', 'int') !== 0 }),
};
