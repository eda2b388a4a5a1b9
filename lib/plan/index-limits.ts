import type { PlanDescription, PlanNode, PlanVariant } from './description';

/**
 * How many rows the smallest table has that an input is looked up in, by input name: indices such as token ids must stay
 * below. Inputs that no table is read with are not in the map.
 */
export function planIndexLimits({ variants }: PlanDescription): Map<string, number> {
  const limits = new Map<string, number>();
  for (const variant of variants)
    for (const [name, limit] of limitsOf(variant)) limits.set(name, Math.min(limit, limits.get(name) ?? limit));
  return limits;
}

function* limitsOf({ nodes, tensors, inputs }: PlanVariant): Iterable<readonly [name: string, limit: number]> {
  const origin = new Map(inputs.map(({ name, tensor }) => [tensor, name]));
  for (const node of nodes) {
    const source = (operand: number) => origin.get(node.inputs[operand] ?? Number.NaN);
    const first = source(0);
    if (UNCHANGED.has(node.op) && first !== undefined) origin.set(node.outputs[0], first);
    const indices = source(1);
    const axis = axisOf(node);
    if (axis !== undefined && indices !== undefined) yield [indices, tensors[node.inputs[0]!].dims.at(axis)!];
  }
}

/** Operations whose integers are those of their first operand. */
const UNCHANGED: ReadonlySet<PlanNode['op']> = new Set(['cast', 'copy_nd']);

/** The axis of its first operand that a node looks elements up along by its second. */
function axisOf(node: PlanNode): number | undefined {
  if (node.op === 'gather') return 1;
  return node.op === 'gather_elements' ? node.params.axis : undefined;
}
