import type { FamilyOf, Kernel } from '../layer';
import { binary } from './binary';
import { dequantize, quantize } from './border';
import { conv } from './conv';
import { concat, pad } from './copy';
import { fullyConnected } from './fully-connected';
import { averagePool, maxPool } from './pool';
import { reshape, slice, transpose } from './reshape';
import { softmax } from './softmax';
import { unary } from './unary';

/** How every kind of kernel call becomes steps of a plan. */
export const FAMILIES: { readonly [K in Kernel]: FamilyOf<K> } = {
  conv,
  'fully-connected': fullyConnected,
  binary,
  'max-pool': maxPool,
  'average-pool': averagePool,
  unary,
  softmax,
  concat,
  slice,
  pad,
  transpose,
  reshape,
  quantize,
  dequantize,
};
