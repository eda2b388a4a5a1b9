import { abs } from './abs';
import { add } from './add';
import { and } from './and';
import { argMax } from './arg-max';
import { argMin } from './arg-min';
import { averagePool } from './average-pool';
import { batchNormalization } from './batch-normalization';
import { cast } from './cast';
import { castLike } from './cast-like';
import { ceil } from './ceil';
import { clip } from './clip';
import { concat } from './concat';
import { constant } from './constant';
import { constantOfShape } from './constant-of-shape';
import { conv } from './conv';
import { convTranspose } from './conv-transpose';
import { cos } from './cos';
import { cumSum } from './cum-sum';
import { depthToSpace } from './depth-to-space';
import { dequantizeLinear } from './dequantize-linear';
import { dft } from './dft';
import { div } from './div';
import { dropout } from './dropout';
import { elu } from './elu';
import { equal } from './equal';
import { erf } from './erf';
import { exp } from './exp';
import { expand } from './expand';
import { flatten } from './flatten';
import { floor } from './floor';
import { gather } from './gather';
import { gatherElements } from './gather-elements';
import { gatherND } from './gather-nd';
import { gelu } from './gelu';
import { gemm } from './gemm';
import { globalAveragePool } from './global-average-pool';
import { globalMaxPool } from './global-max-pool';
import { greater } from './greater';
import { greaterOrEqual } from './greater-or-equal';
import { gru } from './gru';
import { hardSigmoid } from './hard-sigmoid';
import { hardSwish } from './hard-swish';
import { identity } from './identity';
import { isNaNOperator } from './is-nan';
import { layerNormalization } from './layer-normalization';
import { leakyRelu } from './leaky-relu';
import { less } from './less';
import { lessOrEqual } from './less-or-equal';
import { log } from './log';
import { logSoftmax } from './log-softmax';
import { lstm } from './lstm';
import { matMul } from './mat-mul';
import { max } from './max';
import { maxPool } from './max-pool';
import { mean } from './mean';
import { min } from './min';
import { mish } from './mish';
import { mod } from './mod';
import { mul } from './mul';
import { neg } from './neg';
import { not } from './not';
import { oneHot } from './one-hot';
import type { Operator } from './operator';
import { or } from './or';
import { pRelu } from './p-relu';
import { pad } from './pad';
import { pow } from './pow';
import { qLinearConv } from './q-linear-conv';
import { qLinearMatMul } from './q-linear-mat-mul';
import { quantizeLinear } from './quantize-linear';
import { range } from './range';
import { reciprocal } from './reciprocal';
import { reduceL1 } from './reduce-l1';
import { reduceL2 } from './reduce-l2';
import { reduceLogSum } from './reduce-log-sum';
import { reduceMax } from './reduce-max';
import { reduceMean } from './reduce-mean';
import { reduceMin } from './reduce-min';
import { reduceProd } from './reduce-prod';
import { reduceSum } from './reduce-sum';
import { reduceSumSquare } from './reduce-sum-square';
import { relu } from './relu';
import { reshape } from './reshape';
import { resize } from './resize';
import { round } from './round';
import { scatterElements } from './scatter-elements';
import { scatterND } from './scatter-nd';
import { selu } from './selu';
import { shape } from './shape';
import { sigmoid } from './sigmoid';
import { sign } from './sign';
import { sin } from './sin';
import { size } from './size';
import { slice } from './slice';
import { softmax } from './softmax';
import { softmaxCrossEntropyLoss } from './softmax-cross-entropy-loss';
import { softplus } from './softplus';
import { softsign } from './softsign';
import { spaceToDepth } from './space-to-depth';
import { split } from './split';
import { sqrt } from './sqrt';
import { squeeze } from './squeeze';
import { stft } from './stft';
import { sub } from './sub';
import { sum } from './sum';
import { tableOf } from './table';
import { tanh } from './tanh';
import { tile } from './tile';
import { transpose } from './transpose';
import { trilu } from './trilu';
import { unsqueeze } from './unsqueeze';
import { upsample } from './upsample';
import { where } from './where';
import { xor } from './xor';

/** Every operator that Hone knows: one row per file of this folder. */
export const OPERATORS: readonly Operator[] = [
  abs,
  add,
  and,
  argMax,
  argMin,
  averagePool,
  batchNormalization,
  cast,
  castLike,
  ceil,
  clip,
  concat,
  constant,
  constantOfShape,
  conv,
  convTranspose,
  cos,
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
  globalMaxPool,
  greater,
  greaterOrEqual,
  gru,
  hardSigmoid,
  hardSwish,
  identity,
  isNaNOperator,
  layerNormalization,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  logSoftmax,
  lstm,
  matMul,
  max,
  maxPool,
  mean,
  min,
  mish,
  mod,
  mul,
  neg,
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
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  resize,
  round,
  scatterElements,
  scatterND,
  selu,
  shape,
  sigmoid,
  sign,
  sin,
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
  tanh,
  tile,
  transpose,
  trilu,
  unsqueeze,
  upsample,
  where,
  xor,
];

const TABLE = tableOf(OPERATORS);

/** The operator `op` of `domain` (`''` or `ai.onnx` is the standard domain), or undefined when Hone does not know it. */
export function findOperator(domain: string, op: string): Operator | undefined {
  return TABLE.get(`${domain === 'ai.onnx' ? '' : domain}:${op}`);
}
