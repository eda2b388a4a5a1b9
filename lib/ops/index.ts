import { abs } from './abs';
import { add } from './add';
import { and } from './and';
import { ceil } from './ceil';
import { cos } from './cos';
import { div } from './div';
import { elu } from './elu';
import { equal } from './equal';
import { erf } from './erf';
import { exp } from './exp';
import { floor } from './floor';
import { gelu } from './gelu';
import { greater } from './greater';
import { greaterOrEqual } from './greater-or-equal';
import { hardSigmoid } from './hard-sigmoid';
import { hardSwish } from './hard-swish';
import { isNaNOperator } from './is-nan';
import { leakyRelu } from './leaky-relu';
import { less } from './less';
import { lessOrEqual } from './less-or-equal';
import { log } from './log';
import { max } from './max';
import { min } from './min';
import { mul } from './mul';
import { neg } from './neg';
import { not } from './not';
import type { Operator } from './operator';
import { or } from './or';
import { pow } from './pow';
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
import { round } from './round';
import { sigmoid } from './sigmoid';
import { sign } from './sign';
import { sin } from './sin';
import { softplus } from './softplus';
import { softsign } from './softsign';
import { sqrt } from './sqrt';
import { sub } from './sub';
import { sum } from './sum';
import { tableOf } from './table';
import { tanh } from './tanh';
import { xor } from './xor';

/** Every operator that Hone knows: one row per file of this folder. */
export const OPERATORS: readonly Operator[] = [
  abs,
  add,
  and,
  ceil,
  cos,
  div,
  elu,
  equal,
  erf,
  exp,
  floor,
  gelu,
  greater,
  greaterOrEqual,
  hardSigmoid,
  hardSwish,
  isNaNOperator,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  max,
  min,
  mul,
  neg,
  not,
  or,
  pow,
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
  round,
  sigmoid,
  sign,
  sin,
  softplus,
  softsign,
  sqrt,
  sub,
  sum,
  tanh,
  xor,
];

const TABLE = tableOf(OPERATORS);

/** The operator `op` of `domain` (`''` or `ai.onnx` is the standard domain), or undefined when Hone does not know it. */
export function findOperator(domain: string, op: string): Operator | undefined {
  return TABLE.get(`${domain === 'ai.onnx' ? '' : domain}:${op}`);
}
