#pragma once
#include "native/kernels/exp_f32.h"
#include "native/kernels/quarter_turns.h"
#include "native/kernels/remainder.h"

// Hone's elementary functions on float32, over lanes: include simd.h or simd_scalar.h first. One text for all
// rows, so that all give the same bits: every operation is rounded once, nothing is fused. A NaN gives a NaN;
// infinities, zeros with their signs and subnormal numbers give what IEEE 754 and the mathematical function
// say. Polynomials are minimax fits, weighted for the relative error of the function; unary_function.h says
// how large errors are, and its check holds them.
namespace hone {
namespace {

/// c[0] + x * (c[1] + x * ...)
template <int kCount>
inline VecF evaluate_polynomial(const float (&c)[kCount], VecF x) {
  VecF p = splat(c[kCount - 1]);
  for (int i = kCount - 2; i >= 0; i--) p = add(multiply(p, x), splat(c[i]));
  return p;
}

/// x = n * ln 2 + r, |r| <= ln 2 / 2, as exp_f32.h has it; `shifted` holds n in its lowest bits.
struct ExpParts {
  VecF shifted, n, r;
};

inline ExpParts split_exponent(VecF x) {
  const VecF shifted = add(multiply(x, splat(kLog2E)), splat(kExpShifter));
  const VecF n = subtract(shifted, splat(kExpShifter));
  const VecF r = subtract(subtract(x, multiply(n, splat(kLn2High))), multiply(n, splat(kLn2Low)));
  return {shifted, n, r};
}

/// (exp(r) - 1 - r) / r^2
inline VecF exp_remainder(VecF r) {
  static constexpr float kTerms[] = {kExp2, kExp3, kExp4, kExp5, kExp6};
  return evaluate_polynomial(kTerms, r);
}

/// exp(r)
inline VecF exp_of_rest(VecF r) {
  const VecF p = add(multiply(exp_remainder(r), r), splat(1.0f));
  return add(multiply(p, r), splat(1.0f));
}

/// exp(x).
inline VecF exp_lanes(VecF x) {
  const ExpParts parts = split_exponent(clamp_keep_nan(x, splat(-104.0f), splat(89.0f)));
  // 2^n in two factors, so that results may be subnormal, with one rounding, or overflow.
  const VecI n = subtract_int(bits_of(parts.shifted), bits_of(splat(kExpShifter)));
  const VecI half = shift_right<1>(n);
  const VecF first = power_of_two(float_of(half)), second = power_of_two(float_of(subtract_int(n, half)));
  return multiply(multiply(exp_of_rest(parts.r), first), second);
}

/// exp(x) - 1 for x up to 80.
inline VecF expm1_lanes(VecF x) {
  const ExpParts parts = split_exponent(clamp_keep_nan(x, splat(-80.0f), splat(80.0f)));
  const VecF power = power_of_two(parts.shifted);
  const VecF q = add(multiply(multiply(exp_remainder(parts.r), parts.r), parts.r), parts.r);
  return add(multiply(power, q), subtract(power, splat(1.0f)));
}

/// ln(1 + f) for f in [1 / sqrt 2 - 1, 1]: 2 artanh(s) with s = f / (2 + f).
inline VecF log1p_lanes(VecF f) {
  static constexpr float kTerms[] = {0x1.555502p-1f, 0x1.99d1ccp-2f, 0x1.1ec042p-2f, 0x1.1eca06p-2f};
  const VecF s = divide(f, add(f, splat(2.0f)));
  const VecF z = multiply(s, s);
  return add(multiply(multiply(s, z), evaluate_polynomial(kTerms, z)), add(s, s));
}

/// ln(x); NaN below 0.
inline VecF log_lanes(VecF x) {
  const Mask tiny = less(x, splat(0x1p-126f));
  const VecI bits = bits_of(select(tiny, multiply(x, splat(0x1p23f)), x));
  // x = m * 2^k with m in [1 / sqrt 2, sqrt 2)
  const VecI k = shift_right<23>(subtract_int(bits, splat_int(0x3F3504F3)));
  const VecF f = subtract(float_of(subtract_int(bits, shift_left<23>(k))), splat(1.0f));
  const VecF exponent = subtract(to_float(k), select(tiny, splat(23.0f), splat(0.0f)));
  const VecF low = add(log1p_lanes(f), multiply(exponent, splat(kLn2Low)));
  VecF y = add(multiply(exponent, splat(kLn2High)), low);
  y = select(less(x, splat(__builtin_inff())), y, x);
  y = select(less(x, splat(0.0f)), splat(__builtin_nanf("")), y);
  return select(equal(x, splat(0.0f)), splat(-__builtin_inff()), y);
}

inline VecF negate_lanes(VecF x) { return flip_sign(x, splat(-0.0f)); }

/// exp(-|x|)
inline VecF exp_of_minus(VecF x) { return exp_lanes(negate_lanes(absolute(x))); }

/// 1 / (1 + exp(-x))
inline VecF sigmoid_lanes(VecF x) {
  const VecF e = exp_of_minus(x);
  return divide(select(less(x, splat(0.0f)), e, splat(1.0f)), add(e, splat(1.0f)));
}

/// tanh(x): t / (t + 2) with t = exp(2 |x|) - 1.
inline VecF tanh_lanes(VecF x) {
  const VecF size = absolute(x);
  const VecF t = expm1_lanes(clamp_keep_nan(add(size, size), splat(0.0f), splat(40.0f)));
  return flip_sign(divide(t, add(t, splat(2.0f))), x);
}

/// exp(-scale * x^2) with the part of x^2 that its rounding loses; 0 <= x <= 20, scale a power of two.
inline VecF exp_of_square(VecF x, float scale) {
  const VecF high = float_of(and_bits(bits_of(x), splat_int(-4096)));  // 12 bits: its square is exact
  const VecF low = subtract(x, high);
  const VecF square = multiply(x, x), product = multiply(high, low);
  const VecF lost =
      add(add(subtract(multiply(high, high), square), add(product, product)), multiply(low, low));
  const VecF e = exp_lanes(multiply(square, splat(-scale)));
  return subtract(e, multiply(e, multiply(lost, splat(scale))));
}

/// exp(z^2) * erfc(z) for 0 <= z <= 15: h(t) / (1 + 2 z) with t = (z - 2) / (z + 2).
inline VecF erfcx_lanes(VecF z) {
  static constexpr float kTerms[] = {0x1.46e80ep+0f,   -0x1.7bf606p-4f, -0x1.54080cp-3f, 0x1.4ffbecp-3f,
                                     -0x1.bc10cep-5f,  -0x1.080ef4p-7f, 0x1.1b1668p-7f,  0x1.588692p-10f,
                                     -0x1.4424d0p-10f, -0x1.a76eb4p-12f};
  const VecF t = divide(subtract(z, splat(2.0f)), add(z, splat(2.0f)));
  return divide(evaluate_polynomial(kTerms, t), add(add(z, z), splat(1.0f)));
}

/// erf(z) for |z| up to 0.875.
inline VecF erf_near_zero(VecF z) {
  static constexpr float kTerms[] = {0x1.06eba6p-3f,  -0x1.8126eep-2f, 0x1.ce1bfap-4f,
                                     -0x1.b6a3b4p-6f, 0x1.47d510p-8f,  -0x1.3cb546p-11f};
  return add(multiply(z, evaluate_polynomial(kTerms, multiply(z, z))), z);
}

/// Gauss error function.
inline VecF erf_lanes(VecF x) {
  const VecF z = clamp_keep_nan(absolute(x), splat(0.0f), splat(10.0f));
  const VecF large = subtract(splat(1.0f), multiply(exp_of_square(z, 1), erfcx_lanes(z)));
  return flip_sign(select(less(z, splat(0.875f)), erf_near_zero(z), large), x);
}

/// x * Phi(x), with Phi(-|x|) = erfc(|x| / sqrt 2) / 2, near zero Phi(x) = (1 + erf(x / sqrt 2)) / 2.
inline VecF gelu_lanes(VecF x) {
  const VecF half = splat(0.5f), root = splat(0x1.6a09e6p-1f);
  const VecF size = clamp_keep_nan(absolute(x), splat(0.0f), splat(20.0f));
  const VecF below = multiply(multiply(exp_of_square(size, 0.5f), half), erfcx_lanes(multiply(size, root)));
  const VecF away = select(less(x, splat(0.0f)), below, subtract(splat(1.0f), below));
  const VecF near = add(multiply(erf_near_zero(multiply(x, root)), half), half);
  return multiply(x, select(less(size, splat(0.75f)), near, away));
}

/// ln(exp(x) + 1)
inline VecF softplus_lanes(VecF x) {
  return add(clamp_keep_nan(x, splat(0.0f), splat(__builtin_inff())), log1p_lanes(exp_of_minus(x)));
}

/// tanh(ln(1 + exp(x))), without logarithm: with e = exp(-|x|) both terms of the quotient are polynomials.
inline VecF tanh_softplus_lanes(VecF x) {
  const VecF e = exp_of_minus(x);
  const Mask below = less(x, splat(0.0f));
  const VecF rest = multiply(add(e, splat(2.0f)), e);  // (1 + exp(x))^2 - 1
  const VecF scaled = add(add(e, e), splat(1.0f));     // the same times exp(-2 x)
  const VecF two = select(below, splat(2.0f), multiply(add(e, e), e));
  const VecF numerator = select(below, rest, scaled);
  return divide(numerator, add(numerator, two));
}

/// |x| as quarter turns; `shifted` holds their number in its lowest bits.
struct Angle {
  VecF shifted, r;
};

inline Angle split_angle(VecF size) {
  constexpr float kLimit = 8192;  // up to it each product with the first three parts of pi / 2 is exact
  const VecF shifted = add(multiply(size, splat(0x1.45f306p-1f)), splat(kExpShifter));
  const VecF n = subtract(shifted, splat(kExpShifter));
  VecF r = subtract(size, multiply(n, splat(0x1.92p+0f)));
  r = subtract(r, multiply(n, splat(0x1.fb4p-12f)));
  r = subtract(r, multiply(n, splat(0x1.444p-24f)));
  r = subtract(r, multiply(n, splat(0x1.68c234p-39f)));
  Angle angle = {shifted, r};
  if (!any(less(splat(kLimit), size))) return angle;
  float sizes[kLanes], turns[kLanes], rests[kLanes];
  store(sizes, size);
  store(turns, shifted);
  store(rests, r);
  for (int i = 0; i < kLanes; i++) {
    if (!(sizes[i] > kLimit)) continue;
    const QuarterTurns exact = count_quarter_turns(sizes[i]);
    turns[i] = kExpShifter + static_cast<float>(exact.n);
    rests[i] = exact.r;
  }
  return {load(turns), load(rests)};
}

/// sin(r + n * pi / 2) for |r| <= pi / 4
inline VecF sine_of(VecF r, VecI n) {
  static constexpr float kSine[] = {-0x1.555544p-3f, 0x1.1106c6p-7f, -0x1.991c26p-13f};
  static constexpr float kCosine[] = {0x1.55554ap-5f, -0x1.6c0c14p-10f, 0x1.99de6ep-16f};
  const VecF z = multiply(r, r);
  const VecF sine = add(multiply(multiply(evaluate_polynomial(kSine, z), z), r), r);
  const VecF cosine = add(multiply(multiply(evaluate_polynomial(kCosine, z), z), z),
                          subtract(splat(1.0f), multiply(z, splat(0.5f))));
  return flip_sign(select(has_bit(n, 1), cosine, sine), float_of(shift_left<30>(n)));
}

inline VecF sin_lanes(VecF x) {
  const Angle angle = split_angle(absolute(x));
  return flip_sign(sine_of(angle.r, bits_of(angle.shifted)), x);
}

inline VecF cos_lanes(VecF x) {
  const Angle angle = split_angle(absolute(x));
  return sine_of(angle.r, add_int(bits_of(angle.shifted), splat_int(1)));
}

/// Nearest integer, ties to even; zeros keep their signs.
inline VecF round_lanes(VecF x) {
  const VecF size = absolute(x);
  const VecF whole = subtract(add(size, splat(0x1p23f)), splat(0x1p23f));
  return select(less(size, splat(0x1p23f)), flip_sign(whole, x), x);
}

inline VecF floor_lanes(VecF x) {
  const VecF near = round_lanes(x);
  return select(less(x, near), subtract(near, splat(1.0f)), near);
}

inline VecF ceil_lanes(VecF x) { return negate_lanes(floor_lanes(negate_lanes(x))); }

/// A float as the sum of two with 12 bits each: products of such halves are exact.
struct Halves {
  VecF high, low;
};

inline Halves split_bits(VecF x) {
  const VecF high = float_of(and_bits(bits_of(x), splat_int(-4096)));
  return {high, subtract(x, high)};
}

/// What the rounding of `product` = fl(a * b) has lost.
inline VecF find_lost(VecF product, const Halves& a, const Halves& b) {
  const VecF middle = add(subtract(multiply(a.high, b.high), product), multiply(a.high, b.low));
  return add(add(middle, multiply(a.low, b.high)), multiply(a.low, b.low));
}

/// log2(x) of a positive finite number, in two floats, the second up to 2^-24 of the first: within 2^-29 of
/// it. With s = f / (2 + f): log2(1 + f) = 2 / ln 2 * artanh(s), its first term in two floats.
inline Halves log2_in_two(VecF x) {
  static constexpr float kTerms[] = {0x1.ec709ep-1f, 0x1.277700p-1f, 0x1.a5c94ap-2f, 0x1.58aebcp-2f};
  constexpr float kFactorHigh = 0x1.714p+1f, kFactorLow = 0x1.47652cp-11f;  // 2 / ln 2
  const Mask tiny = less(x, splat(0x1p-126f));
  const VecI bits = bits_of(select(tiny, multiply(x, splat(0x1p23f)), x));
  // x = (1 + f) * 2^k with 1 + f in [1 / sqrt 2, sqrt 2)
  const VecI k = shift_right<23>(subtract_int(bits, splat_int(0x3F3504F3)));
  const VecF f = subtract(float_of(subtract_int(bits, shift_left<23>(k))), splat(1.0f));
  const VecF exponent = subtract(to_float(k), select(tiny, splat(23.0f), splat(0.0f)));
  // s and what its rounding and that of 2 + f have lost
  const VecF divisor = add(f, splat(2.0f));
  const VecF divisor_lost = subtract(f, subtract(divisor, splat(2.0f)));
  const VecF s = divide(f, divisor);
  const Halves parts = split_bits(s), divisor_parts = split_bits(divisor);
  const VecF product = multiply(s, divisor);
  const VecF rest = subtract(subtract(subtract(f, product), find_lost(product, parts, divisor_parts)),
                             multiply(s, divisor_lost));
  const VecF s_lost = divide(rest, divisor);
  const VecF z = multiply(s, s);
  const VecF tail = multiply(multiply(s, z), evaluate_polynomial(kTerms, z));
  const VecF low = add(add(add(multiply(s, splat(kFactorLow)), multiply(parts.low, splat(kFactorHigh))),
                           multiply(s_lost, splat(kFactorHigh))),
                       tail);
  // The larger term comes first in each sum, so that what it loses is exact.
  const VecF first = multiply(parts.high, splat(kFactorHigh));
  const VecF sum = add(exponent, first);
  const VecF lost = add(subtract(first, subtract(sum, exponent)), low);
  const VecF high = add(sum, lost);
  return {high, subtract(lost, subtract(high, sum))};
}

/// |x|^y for a finite |x| above 0. Beyond 2^40 y makes the same of every x but 1.
inline VecF power_of_size(VecF size, VecF y) {
  const VecF bounded = clamp_keep_nan(y, splat(-0x1p40f), splat(0x1p40f));
  const Halves logarithm = log2_in_two(size);
  const VecF product = multiply(bounded, logarithm.high);
  const VecF lost = add(find_lost(product, split_bits(bounded), split_bits(logarithm.high)),
                        multiply(bounded, logarithm.low));
  // Where the bound holds, what was lost beyond it does not count.
  const VecF exponent = clamp_keep_nan(product, splat(-160.0f), splat(136.0f));
  const VecF rest = clamp_keep_nan(lost, splat(-0x1p-14f), splat(0x1p-14f));
  const VecF shifted = add(exponent, splat(kExpShifter));
  const VecF r = add(subtract(exponent, subtract(shifted, splat(kExpShifter))), rest);
  const VecI n = subtract_int(bits_of(shifted), bits_of(splat(kExpShifter)));
  const VecI half = shift_right<1>(n);
  const VecF first = power_of_two(float_of(half)), second = power_of_two(float_of(subtract_int(n, half)));
  return multiply(multiply(exp_of_rest(multiply(r, splat(0x1.62e430p-1f))), first), second);
}

/// x^y as IEEE 754-2019 has `pow`: a negative x needs a whole y, and keeps its sign where that is odd; x^0
/// and 1^y are 1 whatever the other is.
inline VecF pow_lanes(VecF x, VecF y) {
  const VecF zero = splat(0.0f), one = splat(1.0f), infinity = splat(__builtin_inff());
  const VecF nan = splat(__builtin_nanf(""));
  const VecF size = absolute(x), half = multiply(y, splat(0.5f));
  const Mask is_whole = equal(round_lanes(y), y);
  // 1 where y is odd
  const VecF odd = select(is_whole, select(equal(round_lanes(half), half), zero, one), zero);
  VecF power = power_of_size(size, y);
  // 0 and infinity, to a positive or to a negative power
  const Mask is_negative = less(y, zero);
  power = select(equal(size, zero), select(is_negative, infinity, zero), power);
  power = select(equal(size, infinity), select(is_negative, zero, infinity), power);
  // -1 to an infinite power is 1, and so is -infinity to a fraction infinite.
  const VecF off = select(is_whole, power, select(less(size, infinity), nan, power));
  power = select(less(x, zero), off, power);
  power = flip_sign(power, select(equal(odd, one), x, zero));
  power = select(equal(x, x), power, nan);
  power = select(equal(y, y), power, nan);
  power = select(equal(y, zero), one, power);
  return select(equal(x, one), one, power);
}

/// Remainder of x by y, lane after lane.
inline VecF remainder_lanes(VecF x, VecF y) {
  float xs[kLanes], ys[kLanes];
  store(xs, x);
  store(ys, y);
  for (int i = 0; i < kLanes; i++) xs[i] = find_remainder(xs[i], ys[i]);
  return load(xs);
}

}  // namespace
}  // namespace hone
