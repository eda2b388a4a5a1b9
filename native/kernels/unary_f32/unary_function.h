#pragma once
#include "native/core/unary_operation.h"
#include "native/kernels/arc_lanes.h"

// What each row of unary_operations.def computes, over lanes (see math_lanes.h). Largest errors over every
// 61st float, in units in the last place of the exact result: 1.2 exp, 2.0 log, 2.4 sigmoid, 2.6 tanh, 1.1
// erf, 5.5 gelu, 4.6 mish, 2.8 softplus, 1.5 softsign, 1.7 elu, 2.1 selu, 2.3 sin and cos of any size, 3.8
// tan, 2.4 asin, 1.2 acos, 2.1 atan, 1.7 sinh, 1.5 cosh, 2.9 asinh, 3.1 acosh, 3.3 atanh; 0.5 for what rounds
// once. Where terms cancel units are those of the terms: gelu_tanh 2.8 times |u| of tanh(u), hard_sigmoid 0.4
// of 1, hard_swish 1.2 of x; gelu and mish below the normal numbers, of the least number times x.
namespace hone {
namespace {

struct UnaryFactors {
  VecF alpha, beta;
};

template <UnaryOperation kOperation>
inline VecF apply(VecF x, const UnaryFactors& factors) {
  using enum UnaryOperation;
  const VecF zero = splat(0.0f), one = splat(1.0f);
  if constexpr (kOperation == kAbs) {
    return absolute(x);
  } else if constexpr (kOperation == kNegate) {
    return negate_lanes(x);
  } else if constexpr (kOperation == kSign) {
    return select(less(zero, x), one, select(less(x, zero), splat(-1.0f), x));
  } else if constexpr (kOperation == kFloor) {
    return floor_lanes(x);
  } else if constexpr (kOperation == kCeil) {
    return ceil_lanes(x);
  } else if constexpr (kOperation == kRound) {
    return round_lanes(x);
  } else if constexpr (kOperation == kSqrt) {
    return square_root(x);
  } else if constexpr (kOperation == kReciprocal) {
    return divide(one, x);
  } else if constexpr (kOperation == kExp) {
    return exp_lanes(x);
  } else if constexpr (kOperation == kLog) {
    return log_lanes(x);
  } else if constexpr (kOperation == kSigmoid) {
    return sigmoid_lanes(x);
  } else if constexpr (kOperation == kTanh) {
    return tanh_lanes(x);
  } else if constexpr (kOperation == kErf) {
    return erf_lanes(x);
  } else if constexpr (kOperation == kGelu) {
    return gelu_lanes(x);
  } else if constexpr (kOperation == kGeluTanh) {
    // x * (1 + tanh(u)) / 2 = x * sigmoid(2 u) with 2 u = x * (c + 0.044715 c x^2), c = sqrt(8 / pi)
    const VecF square = multiply(x, x);
    const VecF inner = add(multiply(square, splat(0x1.2444f2p-4f)), splat(0x1.988454p+0f));
    return multiply(x, sigmoid_lanes(multiply(x, inner)));
  } else if constexpr (kOperation == kMish) {
    return multiply(x, tanh_softplus_lanes(x));
  } else if constexpr (kOperation == kSoftplus) {
    return softplus_lanes(x);
  } else if constexpr (kOperation == kSoftsign) {
    return divide(x, add(absolute(x), one));
  } else if constexpr (kOperation == kElu) {
    return select(less(x, zero), multiply(factors.alpha, expm1_lanes(x)), x);
  } else if constexpr (kOperation == kSelu) {
    const VecF below = multiply(factors.alpha, expm1_lanes(x));
    return multiply(factors.beta, select(less(x, zero), below, x));
  } else if constexpr (kOperation == kLeakyRelu) {
    return select(less(x, zero), multiply(factors.alpha, x), x);
  } else if constexpr (kOperation == kHardSigmoid) {
    return clamp_keep_nan(add(multiply(factors.alpha, x), factors.beta), zero, one);
  } else if constexpr (kOperation == kHardSwish) {
    const VecF gate = add(multiply(x, splat(0x1.555556p-3f)), splat(0.5f));
    return multiply(x, clamp_keep_nan(gate, zero, one));
  } else if constexpr (kOperation == kSin) {
    return sin_lanes(x);
  } else if constexpr (kOperation == kSquare) {
    return multiply(x, x);
  } else if constexpr (kOperation == kCube) {
    return multiply(multiply(x, x), x);
  } else if constexpr (kOperation == kReciprocalSqrt) {
    return divide(one, square_root(x));
  } else if constexpr (kOperation == kPower) {
    return pow_lanes(x, factors.alpha);
  } else if constexpr (kOperation == kTan) {
    return tan_lanes(x);
  } else if constexpr (kOperation == kAsin) {
    return asin_lanes(x);
  } else if constexpr (kOperation == kAcos) {
    return acos_lanes(x);
  } else if constexpr (kOperation == kAtan) {
    return atan_lanes(x);
  } else if constexpr (kOperation == kSinh) {
    return sinh_lanes(x);
  } else if constexpr (kOperation == kCosh) {
    return cosh_lanes(x);
  } else if constexpr (kOperation == kAsinh) {
    return asinh_lanes(x);
  } else if constexpr (kOperation == kAcosh) {
    return acosh_lanes(x);
  } else if constexpr (kOperation == kAtanh) {
    return atanh_lanes(x);
  } else if constexpr (kOperation == kCelu) {
    return select(less(x, zero), multiply(factors.alpha, expm1_lanes(divide(x, factors.alpha))), x);
  } else if constexpr (kOperation == kShrink) {
    const VecF above = select(less(factors.alpha, x), subtract(x, factors.beta), zero);
    return select(less(x, negate_lanes(factors.alpha)), add(x, factors.beta), above);
  } else if constexpr (kOperation == kThresholdedRelu) {
    return select(less(factors.alpha, x), x, zero);
  } else {
    static_assert(kOperation == kCos, "define the function here");
    return cos_lanes(x);
  }
}

}  // namespace
}  // namespace hone
