import type { attributes } from '../../ir/attribute';
import type { ElementType } from '../../ir/element-type';
import type { Node } from '../../ir/graph';
import type { Tensor } from '../../ir/tensor';
import { type Formula, int64s } from '../gradients';
import type { Emitter } from '../operator';

/** Thrown by a composite for a form that it does not know; the node stays, and the reason is what the user reads. */
export class Refused extends Error {}

/** What a composite may ask and make. Extents that are asked for must be numbers: as long as they are not, the node stays. */
export interface CompositeContext {
  readonly node: Node;
  /** `typeOf` gives numeric shapes only. */
  readonly emit: Emitter;
  /** Formulas over values and numbers. */
  readonly f: Formula;
  /** Name of input `index`; undefined where it is left out. */
  input(index: number): string | undefined;
  /** Whether somebody may read output `index`. */
  wants(index: number): boolean;
  rankOf(value: string): number;
  elementTypeOf(value: string): ElementType;
  /** One extent of a value; axes below 0 count from the end. */
  extent(value: string, axis: number): number;
}

/**
 * An operator that is made of others: adds nodes that do what `node` does, and returns the names of their results, in the order of
 * its outputs, undefined for what nobody wants.
 * @throws Refused
 */
export type Composite = (context: CompositeContext) => readonly (string | undefined)[];

/** Input `index`, which the operator requires. @throws Refused */
export function needed({ input, node }: CompositeContext, index: number): string {
  const name = input(index);
  if (name === undefined) throw new Refused(`input ${index} of ${node.op} is missing`);
  return name;
}

/** Elements of an input that must be constant. @throws Refused */
export function constantInput(context: CompositeContext, index: number, what: string): Tensor {
  const tensor = context.emit.constantOf(needed(context, index));
  if (tensor === undefined) throw new Refused(`expected constant ${what}`);
  return tensor;
}

/** Refuses what the composite leaves out. @throws Refused */
export function refuseInputs({ input }: CompositeContext, names: Readonly<Record<number, string>>): void {
  for (const [index, name] of Object.entries(names))
    if (input(Number(index)) !== undefined) throw new Refused(`input '${name}' is not supported`);
}

/** Refuses outputs that the composite does not make. @throws Refused */
export function refuseOutputs({ wants }: CompositeContext, names: Readonly<Record<number, string>>): void {
  for (const [index, name] of Object.entries(names))
    if (wants(Number(index))) throw new Refused(`output '${name}' is not supported`);
}

/** The value in another shape; 0 keeps an extent, -1 is what is left. */
export function reshaped(emit: Emitter, value: string, dims: readonly number[]): string {
  return emit.node('Reshape', [value, int64s(emit, dims)]);
}

/** The value with axes of one element at these places of the result. */
export function unsqueezed(emit: Emitter, value: string, axes: readonly number[]): string {
  return axes.length === 0 ? value : emit.node('Unsqueeze', [value, int64s(emit, axes)]);
}

/** Values one behind the other along an axis; one alone as it is. */
export function joined(emit: Emitter, values: readonly string[], axis: number): string {
  return values.length === 1 ? values[0] : emit.node('Concat', values, { axis });
}

/** Parts along an axis, of these extents. */
export function parted(emit: Emitter, value: string, sizes: readonly number[], axis: number): readonly string[] {
  return sizes.length === 1 ? [value] : emit.nodes('Split', [value, int64s(emit, sizes)], sizes.length, { axis });
}

/** The attributes of a node but some. */
export function attributesBut(node: Node, names: readonly string[]): Parameters<typeof attributes>[0] {
  return Object.fromEntries([...node.attributes].filter(([name]) => !names.includes(name)));
}
