import type { Operator } from './operator';
import { abs } from './operators/abs';
import { acos } from './operators/acos';
import { acosh } from './operators/acosh';
import { add } from './operators/add';
import { and } from './operators/and';
import { argMax } from './operators/arg-max';
import { argMin } from './operators/arg-min';
import { asin } from './operators/asin';
import { asinh } from './operators/asinh';
import { atan } from './operators/atan';
import { atanh } from './operators/atanh';
import { averagePool } from './operators/average-pool';
import { batchNormalization } from './operators/batch-normalization';
import { cast } from './operators/cast';
import { castLike } from './operators/cast-like';
import { ceil } from './operators/ceil';
import { celu } from './operators/celu';
import { clip } from './operators/clip';
import { compressOperator } from './operators/compress';
import { concat } from './operators/concat';
import { constant } from './operators/constant';
import { constantOfShape } from './operators/constant-of-shape';
import { conv } from './operators/conv';
import { convTranspose } from './operators/conv-transpose';
import { cos } from './operators/cos';
import { cosh } from './operators/cosh';
import { cumSum } from './operators/cum-sum';
import { depthToSpace } from './operators/depth-to-space';
import { dequantizeLinear } from './operators/dequantize-linear';
import { dft } from './operators/dft';
import { div } from './operators/div';
import { dropout } from './operators/dropout';
import { elu } from './operators/elu';
import { equal } from './operators/equal';
import { erf } from './operators/erf';
import { exp } from './operators/exp';
import { expand } from './operators/expand';
import { flatten } from './operators/flatten';
import { floor } from './operators/floor';
import { gather } from './operators/gather';
import { gatherElements } from './operators/gather-elements';
import { gatherND } from './operators/gather-nd';
import { gelu } from './operators/gelu';
import { gemm } from './operators/gemm';
import { globalAveragePool } from './operators/global-average-pool';
import { globalLpPool } from './operators/global-lp-pool';
import { globalMaxPool } from './operators/global-max-pool';
import { greater } from './operators/greater';
import { greaterOrEqual } from './operators/greater-or-equal';
import { groupNormalization } from './operators/group-normalization';
import { gru } from './operators/gru';
import { hardSigmoid } from './operators/hard-sigmoid';
import { hardSwish } from './operators/hard-swish';
import { hardmax } from './operators/hardmax';
import { identity } from './operators/identity';
import { instanceNormalization } from './operators/instance-normalization';
import { isInf } from './operators/is-inf';
import { isNaNOperator } from './operators/is-nan';
import { layerNormalization } from './operators/layer-normalization';
import { leakyRelu } from './operators/leaky-relu';
import { less } from './operators/less';
import { lessOrEqual } from './operators/less-or-equal';
import { log } from './operators/log';
import { logSoftmax } from './operators/log-softmax';
import { lpNormalization } from './operators/lp-normalization';
import { lpPool } from './operators/lp-pool';
import { lrn } from './operators/lrn';
import { lstm } from './operators/lstm';
import { matMul } from './operators/mat-mul';
import { max } from './operators/max';
import { maxPool } from './operators/max-pool';
import { mean } from './operators/mean';
import { meanVarianceNormalization } from './operators/mean-variance-normalization';
import { min } from './operators/min';
import { mish } from './operators/mish';
import { mod } from './operators/mod';
import { mul } from './operators/mul';
import { neg } from './operators/neg';
import { nonMaxSuppression } from './operators/non-max-suppression';
import { nonZero } from './operators/non-zero';
import { not } from './operators/not';
import { oneHot } from './operators/one-hot';
import { or } from './operators/or';
import { pRelu } from './operators/p-relu';
import { pad } from './operators/pad';
import { pow } from './operators/pow';
import { qLinearConv } from './operators/q-linear-conv';
import { qLinearMatMul } from './operators/q-linear-mat-mul';
import { quantizeLinear } from './operators/quantize-linear';
import { range } from './operators/range';
import { reciprocal } from './operators/reciprocal';
import { reduceL1 } from './operators/reduce-l1';
import { reduceL2 } from './operators/reduce-l2';
import { reduceLogSum } from './operators/reduce-log-sum';
import { reduceLogSumExp } from './operators/reduce-log-sum-exp';
import { reduceMax } from './operators/reduce-max';
import { reduceMean } from './operators/reduce-mean';
import { reduceMin } from './operators/reduce-min';
import { reduceProd } from './operators/reduce-prod';
import { reduceSum } from './operators/reduce-sum';
import { reduceSumSquare } from './operators/reduce-sum-square';
import { relu } from './operators/relu';
import { requireOperator } from './operators/require';
import { reshape } from './operators/reshape';
import { resize } from './operators/resize';
import { rmsNormalization } from './operators/rms-normalization';
import { rnn } from './operators/rnn';
import { round } from './operators/round';
import { scatterElements } from './operators/scatter-elements';
import { scatterND } from './operators/scatter-nd';
import { selu } from './operators/selu';
import { shape } from './operators/shape';
import { shrink } from './operators/shrink';
import { sigmoid } from './operators/sigmoid';
import { sign } from './operators/sign';
import { sin } from './operators/sin';
import { sinh } from './operators/sinh';
import { size } from './operators/size';
import { slice } from './operators/slice';
import { softmax } from './operators/softmax';
import { softmaxCrossEntropyLoss } from './operators/softmax-cross-entropy-loss';
import { softplus } from './operators/softplus';
import { softsign } from './operators/softsign';
import { spaceToDepth } from './operators/space-to-depth';
import { split } from './operators/split';
import { sqrt } from './operators/sqrt';
import { squeeze } from './operators/squeeze';
import { stft } from './operators/stft';
import { sub } from './operators/sub';
import { sum } from './operators/sum';
import { tan } from './operators/tan';
import { tanh } from './operators/tanh';
import { thresholdedRelu } from './operators/thresholded-relu';
import { tile } from './operators/tile';
import { topK } from './operators/top-k';
import { transpose } from './operators/transpose';
import { trilu } from './operators/trilu';
import { unsqueeze } from './operators/unsqueeze';
import { upsample } from './operators/upsample';
import { where } from './operators/where';
import { xor } from './operators/xor';
import { operatorTable } from './table';

/** Every operator that Hone knows: one row per file of this folder. */
export const OPERATORS: readonly Operator[] = [
  abs,
  acos,
  acosh,
  add,
  and,
  argMax,
  argMin,
  asin,
  asinh,
  atan,
  atanh,
  averagePool,
  batchNormalization,
  cast,
  castLike,
  ceil,
  celu,
  clip,
  compressOperator,
  concat,
  constant,
  constantOfShape,
  conv,
  convTranspose,
  cos,
  cosh,
  cumSum,
  depthToSpace,
  dequantizeLinear,
  div,
  dropout,
  elu,
  equal,
  erf,
  exp,
  expand,
  flatten,
  floor,
  gather,
  gatherElements,
  gatherND,
  gelu,
  gemm,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  greater,
  greaterOrEqual,
  groupNormalization,
  gru,
  hardSigmoid,
  hardSwish,
  hardmax,
  identity,
  instanceNormalization,
  isInf,
  isNaNOperator,
  layerNormalization,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  logSoftmax,
  lpNormalization,
  lrn,
  lpPool,
  lstm,
  matMul,
  max,
  maxPool,
  mean,
  meanVarianceNormalization,
  min,
  mish,
  mod,
  mul,
  neg,
  nonMaxSuppression,
  nonZero,
  not,
  oneHot,
  or,
  pad,
  pow,
  pRelu,
  qLinearConv,
  qLinearMatMul,
  quantizeLinear,
  range,
  reciprocal,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  relu,
  requireOperator,
  reshape,
  resize,
  rmsNormalization,
  rnn,
  round,
  scatterElements,
  scatterND,
  selu,
  shape,
  shrink,
  sigmoid,
  sign,
  sin,
  sinh,
  size,
  slice,
  softmax,
  softmaxCrossEntropyLoss,
  softplus,
  softsign,
  spaceToDepth,
  split,
  stft,
  dft,
  sqrt,
  squeeze,
  sub,
  sum,
  tan,
  tanh,
  thresholdedRelu,
  tile,
  topK,
  transpose,
  trilu,
  unsqueeze,
  upsample,
  where,
  xor,
];

const TABLE = operatorTable(OPERATORS);

/** The operator `op` of `domain` (`''` or `ai.onnx` is the standard domain), or undefined when Hone does not know it. */
export function findOperator(domain: string, op: string): Operator | undefined {
  return TABLE.get(`${domain === 'ai.onnx' ? '' : domain}:${op}`);
}
