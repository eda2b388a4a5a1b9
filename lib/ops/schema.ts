import type { Diagnostic } from '../core/diagnostic';
import type { ElementType } from '../ir/element-type';
import type { Node } from '../ir/graph';
import type { AttributeForm, Parameter } from './operator';

/** Type lists of operator schemas. */
export const FLOATS = ['float32', 'float16', 'bfloat16', 'float64'] as const satisfies readonly ElementType[];
const SIGNED_INTEGERS = ['int8', 'int16', 'int32', 'int64'] as const satisfies readonly ElementType[];
const UNSIGNED_INTEGERS = ['uint8', 'uint16', 'uint32', 'uint64'] as const satisfies readonly ElementType[];
const INTEGERS = [...SIGNED_INTEGERS, ...UNSIGNED_INTEGERS] as const;
export const NUMBERS = [...FLOATS, ...INTEGERS] as const;
export const SIGNED_NUMBERS = [...FLOATS, ...SIGNED_INTEGERS] as const;
export const EVERY_TYPE = [...NUMBERS, 'bool', 'string', 'uint4', 'int4'] as const;
export const INDEX_TYPES = ['int32', 'int64'] as const satisfies readonly ElementType[];

/** A formal input or output that must be there. */
export function required(name: string, types: readonly ElementType[]): Parameter {
  return { name, types };
}

/** A formal input or output that may be left out. */
export function optional(name: string, types: readonly ElementType[]): Parameter {
  return { name, types, presence: 'optional' };
}

/** The last formal input or output, which may occur any number of times (at least once). */
export function variadic(name: string, types: readonly ElementType[]): Parameter {
  return { name, types, presence: 'variadic' };
}

/** A parameter whose values have the type of another one, `of`: what ONNX writes as one type variable for both. */
export function typedAs(parameter: Parameter, of: string): Parameter {
  return { ...parameter, like: of };
}

/** An attribute that is one of some words. */
export function oneOf(...words: readonly string[]): AttributeForm {
  return { kind: 'string', words };
}

/** An attribute that is 0 or 1. */
export const FLAG: AttributeForm = { kind: 'int', words: [0, 1] };

/** How windows are padded. */
export const AUTO_PAD = oneOf('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID');

/** Error that names the node: what `infer`, `upgrade` and `lower` return when a node cannot be right or is out of reach. */
export function problem(node: Node, kind: string, message: string): Diagnostic {
  return { severity: 'error', kind, where: node.name, message: `${node.op}: ${message}` };
}
