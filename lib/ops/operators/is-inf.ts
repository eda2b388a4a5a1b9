import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** Whether the element is infinite; of one sign alone where the node says so. */
export const isInf: Operator = {
  ...unary({
    op: 'IsInf',
    since: 20,
    output: 'bool',
    attributes: { detect_negative: { kind: 'int' }, detect_positive: { kind: 'int' } },
    of: (node) => {
      const { negative, positive } = signsOf(node);
      return (x) =>
        Number((positive && x === Number.POSITIVE_INFINITY) || (negative && x === Number.NEGATIVE_INFINITY));
    },
  }),
  lower: ({ node }) => {
    const { negative, positive } = signsOf(node);
    // Without any sign nothing is infinite: no size is below 0.
    if (!negative && !positive) return { kernel: 'compare', comparison: 'less', beside: 0, ofSize: true };
    const beside = positive ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    return { kernel: 'compare', comparison: 'equal', beside, ofSize: negative && positive };
  },
};

function signsOf(node: Node): { negative: boolean; positive: boolean } {
  const isOn = (name: string): boolean => attribute(node, name, 'int', 1) !== 0;
  return { negative: isOn('detect_negative'), positive: isOn('detect_positive') };
}
