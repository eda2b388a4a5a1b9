import type { FamilyOf, Kernel } from '../layer';
import { accumulateFamily } from './accumulate';
import { binaryFamily } from './binary';
import { dequantizeFamily, quantizeFamily } from './border';
import { castFamily } from './cast';
import { compareFamily } from './compare';
import { convFamily } from './conv';
import { convTransposeFamily } from './conv-transpose';
import { concatFamily, padFamily } from './copy';
import { extentsFamily } from './extents';
import { fourierFamily } from './fourier';
import { fullyConnectedFamily } from './fully-connected';
import { gatherElementsFamily, gatherFamily, gatherNdFamily, scatterElementsFamily, scatterNdFamily } from './indexed';
import { integerFamily } from './integer';
import { interpolateFamily } from './interpolate';
import { limitFamily } from './limit';
import { lpPoolFamily } from './lp-pool';
import { matmulFamily } from './matmul';
import { batchNormFamily, localResponseFamily, normalizeFamily, relativeFamily } from './normalize';
import { oneHotFamily } from './one-hot';
import { argExtremeFamily, cumulativeSumFamily, hardmaxFamily, topKFamily } from './order';
import { compressFamily, nonMaxSuppressionFamily, nonZeroFamily } from './places';
import { averagePoolFamily, maxPoolFamily } from './pool';
import { recurrentFamily } from './recurrent';
import { reduceFamily } from './reduce';
import { requireFamily } from './require';
import { expandFamily, rearrangeFamily, reshapeFamily, sliceFamily, splitFamily, transposeFamily } from './reshape';
import { selectFamily } from './select';
import { softmaxFamily } from './softmax';
import { triangleFamily } from './triangle';
import { unaryFamily } from './unary';
import { whereFamily } from './where';

/** How every kind of kernel call becomes steps of a plan. */
export const FAMILIES: { readonly [K in Kernel]: FamilyOf<K> } = {
  conv: convFamily,
  'conv-transpose': convTransposeFamily,
  'fully-connected': fullyConnectedFamily,
  matmul: matmulFamily,
  recurrent: recurrentFamily,
  binary: binaryFamily,
  integer: integerFamily,
  compare: compareFamily,
  cast: castFamily,
  extents: extentsFamily,
  limit: limitFamily,
  where: whereFamily,
  gather: gatherFamily,
  'gather-elements': gatherElementsFamily,
  'gather-nd': gatherNdFamily,
  'scatter-elements': scatterElementsFamily,
  'scatter-nd': scatterNdFamily,
  'one-hot': oneHotFamily,
  split: splitFamily,
  'max-pool': maxPoolFamily,
  'average-pool': averagePoolFamily,
  'lp-pool': lpPoolFamily,
  unary: unaryFamily,
  softmax: softmaxFamily,
  fourier: fourierFamily,
  reduce: reduceFamily,
  accumulate: accumulateFamily,
  'arg-extreme': argExtremeFamily,
  hardmax: hardmaxFamily,
  'cumulative-sum': cumulativeSumFamily,
  'top-k': topKFamily,
  normalize: normalizeFamily,
  'batch-norm': batchNormFamily,
  relative: relativeFamily,
  'local-response': localResponseFamily,
  require: requireFamily,
  'non-zero': nonZeroFamily,
  compress: compressFamily,
  'non-max-suppression': nonMaxSuppressionFamily,
  concat: concatFamily,
  slice: sliceFamily,
  pad: padFamily,
  select: selectFamily,
  interpolate: interpolateFamily,
  expand: expandFamily,
  rearrange: rearrangeFamily,
  triangle: triangleFamily,
  transpose: transposeFamily,
  reshape: reshapeFamily,
  quantize: quantizeFamily,
  dequantize: dequantizeFamily,
};
