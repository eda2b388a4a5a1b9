import { tensorBytes } from './check';
import type { PlanDescription, PlanTensor, PlanWeights } from './description';
import { PLAN_TYPE_BYTES, type PlanType } from './format';
import { PLAN_OPS } from './plan-ops';

/** The constant that a layer multiplies by, or picks rows of, as a plan holds it. */
export interface HeldWeights {
  /** Name of the node. */
  readonly layer: string;
  readonly op: string;
  /** `plain`: elements as they are. */
  readonly encoding: PlanWeights['encoding'] | 'plain';
  /** Of the elements, decoded. */
  readonly type: PlanType;
  /** Of an element, or of its code. */
  readonly bits: number;
  /** Elements that have a scale together; null where there are no scales. */
  readonly group: number | null;
  /** In the plan: elements, or codes and their table. */
  readonly bytes: number;
  /** Of the elements, decoded. */
  readonly decodedBytes: number;
}

/** The weights of each layer of the first shape variant (variants share them), in the order of its nodes. */
export function heldWeights(plan: PlanDescription): HeldWeights[] {
  const [{ nodes, tensors }] = plan.variants;
  return nodes.flatMap(({ name, op, inputs }) =>
    PLAN_OPS[op].coded.flatMap((place) => {
      const index = inputs[place] ?? null;
      const held = index === null ? undefined : formOf(tensors[index], plan);
      return held === undefined ? [] : [{ layer: name, op, ...held }];
    }),
  );
}

function formOf(tensor: PlanTensor, plan: PlanDescription): Omit<HeldWeights, 'layer' | 'op'> | undefined {
  const { type, place } = tensor;
  const decodedBytes = tensorBytes(tensor);
  if (place === 'constant') {
    const bits = 8 * PLAN_TYPE_BYTES[type];
    return { encoding: 'plain', type, bits, group: null, bytes: decodedBytes, decodedBytes };
  }
  if (place !== 'encoded') return undefined;
  const { encoding, bits, group, codes, table } = plan.encoded![tensor.weights];
  const bytes = plan.constants[codes].length + (table === undefined ? 0 : plan.constants[table].length);
  return { encoding, type, bits, group: group || null, bytes, decodedBytes };
}
