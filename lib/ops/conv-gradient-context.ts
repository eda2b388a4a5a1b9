import type { Emitter } from './operator';
import type { Spatial } from './spatial';

/** What both gradients of a convolution need to know. */
export interface ConvLayer {
  readonly emit: Emitter;
  readonly group: number;
  readonly xDims: readonly number[];
  readonly wDims: readonly number[];
  readonly spatial: Spatial;
}
