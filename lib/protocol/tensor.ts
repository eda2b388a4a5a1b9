import { DATATYPES, type Datatype } from '../core/datatype';

/** Name of the HTTP header that gives the length of the JSON part in front of binary tensors. */
export const HEADER_LENGTH = 'inference-header-content-length';

/** Elements of a tensor in row-major order; FP16 as bit patterns, BOOL as bytes of 0 and 1. */
export type TensorData = Float32Array | Uint16Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;

/** A tensor that a model takes or gives. An extent that only a run decides is -1. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** What a run gave for one output. */
export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** True for a datatype of the protocol that ports of a model may have. */
export function isDatatype(word: unknown): word is Datatype {
  return typeof word === 'string' && Object.hasOwn(DATATYPES, word);
}

/** Number of elements of a tensor of this shape. */
export function elementsIn(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A shape as messages show it. */
export function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.join(',')}]`;
}
