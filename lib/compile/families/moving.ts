import type { PlanOp } from '../../plan/plan-ops';
import type { FamilyOf, Kernel, LayerOf } from '../layer';
import type { View } from '../view';

/**
 * A family that only moves elements of its first input: in the form that the value has, int8 before float, and in any type of
 * its own. `move` returns the results.
 */
export function movingFamily<K extends Kernel>(
  ops: readonly PlanOp[],
  move: (layer: LayerOf<K>, view: View) => View | View[],
): FamilyOf<K> {
  return {
    ops,
    integer: {
      operands: 'first',
      grid: 'operand',
      lower:
        (layer, { operands: [x] }) =>
        () =>
          move(layer, x),
    },
    float: { fuses: false, types: 'any', lower: (layer) => move(layer, layer.plain()) },
  };
}
