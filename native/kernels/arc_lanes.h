#pragma once
#include "native/kernels/math_lanes.h"

// Tangent, hyperbolic functions and the inverse ones, over lanes, as math_lanes.h has the others: the same
// rules, polynomials fitted in the same way.
namespace hone {
namespace {

inline VecF tan_lanes(VecF x) {
  const Angle angle = split_angle(absolute(x));
  const VecI n = bits_of(angle.shifted);
  return flip_sign(divide(sine_of(angle.r, n), sine_of(angle.r, add_int(n, splat_int(1)))), x);
}

/// The smaller of x and its reciprocal or of (x - 1) / (x + 1), whose size is at most tan(pi / 8), and the
/// angle that is missing.
inline VecF atan_lanes(VecF x) {
  static constexpr float kTerms[] = {-0x1.555454p-2f, 0x1.9924dap-3f, -0x1.1c380cp-3f, 0x1.49e74cp-4f};
  const VecF size = absolute(x), one = splat(1.0f), zero = splat(0.0f);
  const Mask is_large = less(splat(0x1.3504f4p+1f), size), is_middle = less(splat(0x1.a8279ap-2f), size);
  const VecF above = select(is_large, splat(-1.0f), select(is_middle, subtract(size, one), size));
  const VecF below = select(is_large, size, select(is_middle, add(size, one), one));
  const VecF turned = select(is_large, splat(0x1.921fb6p+0f), select(is_middle, splat(0x1.921fb6p-1f), zero));
  const VecF lost =
      select(is_large, splat(-0x1.777a5cp-25f), select(is_middle, splat(-0x1.777a5cp-26f), zero));
  const VecF z = divide(above, below);
  const VecF u = multiply(z, z);
  const VecF rest = add(multiply(multiply(evaluate_polynomial(kTerms, u), u), z), lost);
  return flip_sign(add(turned, add(z, rest)), x);
}

/// arcsin of a size up to 1/2: itself, or for larger ones sqrt((1 - size) / 2), of which it takes twice.
struct Arcsine {
  Mask is_large;
  VecF r;
};

inline Arcsine split_arcsine(VecF size) {
  static constexpr float kTerms[] = {0x1.5555c8p-3f, 0x1.330204p-4f, 0x1.747bb8p-5f, 0x1.8c3e50p-6f,
                                     0x1.595c60p-5f};
  const Mask is_large = less(splat(0.5f), size);
  const VecF half = multiply(subtract(splat(1.0f), size), splat(0.5f));
  const VecF s = select(is_large, square_root(half), size);
  const VecF u = select(is_large, half, multiply(size, size));
  return {is_large, add(multiply(multiply(evaluate_polynomial(kTerms, u), u), s), s)};
}

/// pi / 2 and what its rounding has lost.
constexpr float kQuarterTurn = 0x1.921fb6p+0f, kQuarterTurnLost = -0x1.777a5cp-25f;

inline VecF asin_lanes(VecF x) {
  const Arcsine arc = split_arcsine(absolute(x));
  const VecF twice = add(arc.r, arc.r);
  const VecF large = subtract(splat(kQuarterTurn), subtract(twice, splat(kQuarterTurnLost)));
  return flip_sign(select(arc.is_large, large, arc.r), x);
}

inline VecF acos_lanes(VecF x) {
  const Arcsine arc = split_arcsine(absolute(x));
  const VecF twice = add(arc.r, arc.r);
  const VecF left = subtract(splat(2 * kQuarterTurn), subtract(twice, splat(2 * kQuarterTurnLost)));
  const VecF large = select(less(x, splat(0.0f)), left, twice);
  const VecF rest = subtract(flip_sign(arc.r, x), splat(kQuarterTurnLost));
  return select(arc.is_large, large, subtract(splat(kQuarterTurn), rest));
}

/// exp(x) / 2 for x >= 0, which overflows later than exp(x).
inline VecF half_exp_lanes(VecF x) {
  const ExpParts parts = split_exponent(clamp_keep_nan(x, splat(0.0f), splat(90.0f)));
  const VecI n = subtract_int(bits_of(parts.shifted), bits_of(splat(kExpShifter)));
  const VecI half = shift_right<1>(n);
  const VecF first = power_of_two(float_of(half));
  const VecF second = power_of_two(float_of(subtract_int(subtract_int(n, half), splat_int(1))));
  return multiply(multiply(exp_of_rest(parts.r), first), second);
}

inline VecF sinh_lanes(VecF x) {
  static constexpr float kTerms[] = {0x1.555598p-3f, 0x1.10f760p-7f, 0x1.ab428ap-13f};
  const VecF size = absolute(x), u = multiply(x, x);
  const VecF near = add(multiply(multiply(evaluate_polynomial(kTerms, u), u), size), size);
  const VecF half = half_exp_lanes(size);
  const VecF away = subtract(half, divide(splat(0.25f), half));
  return flip_sign(select(less(size, splat(1.0f)), near, away), x);
}

inline VecF cosh_lanes(VecF x) {
  const VecF half = half_exp_lanes(absolute(x));
  return add(half, divide(splat(0.25f), half));
}

/// ln(x + sqrt(x^2 + 1)). Near zero ln(1 + f) with f = x + x^2 / (1 + sqrt(x^2 + 1)).
inline VecF asinh_lanes(VecF x) {
  const VecF size = absolute(x), one = splat(1.0f);
  const VecF square = multiply(size, size), root = square_root(add(square, one));
  const VecF near = log1p_lanes(add(divide(square, add(root, one)), clamp_keep_nan(size, splat(0.0f), one)));
  const Mask is_large = less(splat(4096.0f), size);
  const VecF sum = select(is_large, size, add(size, root));
  const VecF away = add(log_lanes(sum), select(is_large, splat(0x1.62e430p-1f), splat(0.0f)));
  const VecF y = select(less(size, splat(0.75f)), near, away);
  return flip_sign(select(less(size, splat(0x1p-12f)), size, y), x);
}

/// ln(x + sqrt(x^2 - 1)); NaN below 1.
inline VecF acosh_lanes(VecF x) {
  const VecF one = splat(1.0f), t = subtract(x, one);
  const VecF near = log1p_lanes(add(square_root(multiply(t, add(t, splat(2.0f)))), t));
  const Mask is_large = less(splat(4096.0f), x);
  const VecF sum = select(is_large, x, add(x, square_root(subtract(multiply(x, x), one))));
  const VecF away = add(log_lanes(sum), select(is_large, splat(0x1.62e430p-1f), splat(0.0f)));
  const VecF y = select(less(x, splat(1.25f)), near, away);
  return select(less(x, one), splat(__builtin_nanf("")), y);
}

/// ln((1 + x) / (1 - x)) / 2; NaN beyond 1.
inline VecF atanh_lanes(VecF x) {
  const VecF size = absolute(x), one = splat(1.0f);
  const VecF below = subtract(one, size);
  const Mask is_near = less(size, splat(0x1.555554p-2f));
  const VecF quotient = divide(select(is_near, add(size, size), add(size, one)), below);
  const VecF near = log1p_lanes(select(is_near, quotient, splat(0.0f)));
  const VecF y = select(is_near, near, log_lanes(quotient));
  return flip_sign(multiply(y, splat(0.5f)), x);
}

}  // namespace
}  // namespace hone
