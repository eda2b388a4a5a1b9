import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';

/** How a scatter combines an update with what stands at its place (attribute `reduction`). */
export function scatterReduction(node: Node): (old: number, update: number) => number {
  switch (attribute(node, 'reduction', 'string', 'none')) {
    case 'add':
      return (old, update) => old + update;
    case 'mul':
      return (old, update) => old * update;
    case 'min':
      return Math.min;
    case 'max':
      return Math.max;
    default:
      return (_, update) => update;
  }
}
