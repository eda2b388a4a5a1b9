import type { Node } from '../ir/graph';
import type { PlanParams } from '../plan/description';
import type { PlanType } from '../plan/format';
import type { PlanOp } from '../plan/plan-ops';
import type { Part } from './part';
import type { ScaledIntegers } from './weight-codes';

/** Scale and zero point of an int8 buffer (zero point in int8: a uint8 zero point less 128). */
export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Where a buffer lives when the plan runs. */
export type Place =
  | { readonly kind: 'arena' }
  /** `scaled` tells of which integers its floats were made, in the same order. */
  | { readonly kind: 'constant'; readonly bytes: Uint8Array; readonly scaled?: () => ScaledIntegers | undefined }
  | { readonly kind: 'port' }
  /** Kept from run to run. */
  | { readonly kind: 'state' };

/** A piece of memory with one element type. Several operands with different dims may name the same buffer. */
export interface Buffer {
  readonly id: number;
  /** Name of the graph value that it holds first. */
  readonly name: string;
  readonly type: PlanType;
  /** Elements. */
  readonly count: number;
  readonly quantization: Quantization | undefined;
  readonly place: Place;
}

/** A buffer with the physical extents that a kernel sees. */
export interface Operand {
  readonly buffer: Buffer;
  readonly dims: readonly number[];
  /** Where it lies in the buffer, whose rows are longer than those of `dims`; all of the buffer where that is left out. */
  readonly part?: Part;
}

/** One kernel call of the plan, operands as buffers instead of tensor indices. */
export type Step = {
  readonly [O in PlanOp]: {
    /** Names of the graph nodes that it computes, joined by `+`. */
    readonly name: string;
    readonly op: O;
    readonly outputs: readonly Operand[];
    /** In the order of PLAN_OPS; undefined is an optional operand that is not there. */
    readonly inputs: readonly (Operand | undefined)[];
  } & (PlanParams[O] extends undefined ? { readonly params?: undefined } : { readonly params: PlanParams[O] });
}[PlanOp];

/** Name of a step: the nodes that it computes, first the main one, then activations. The Q at the end goes without saying. */
export function stepName(node: Node, tail: { readonly nodes: readonly Node[] }): string {
  return [node, ...tail.nodes.filter(({ op }) => op !== 'QuantizeLinear')].map(({ name }) => name).join('+');
}
