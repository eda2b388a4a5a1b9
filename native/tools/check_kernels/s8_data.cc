#include "native/tools/check_kernels/s8_data.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hone::check {

S8Weights make_s8_weights(Workbench& bench, size_t count, size_t channels, size_t depth, bool plain) {
  Rng& rng = bench.rng();
  S8Weights w = {bench.input<int8_t>(count), bench.input<int32_t>(channels), bench.input<float>(channels),
                 nullptr, 0};
  bench.fill_bytes(w.weights, count);
  w.x_zero_point = static_cast<int32_t>(rng.between(-128, 127));
  const bool allow_minus_128 = !plain && rng.chance(0.3);
  for (size_t i = 0; i < count; i++)
    if (w.weights[i] == -128 && !allow_minus_128) w.weights[i] = -127;
  // Constants make the largest sums.
  const bool constant = bench.fill() == Fill::kConstant;
  if (!plain && rng.chance(constant ? 0.9 : 0.5)) {
    w.zero_points = bench.input<int8_t>(channels);
    bench.fill_bytes(w.zero_points, channels);
    // From small weights zero points can be subtracted when packing; far from a positive one they cannot.
    if (!constant && rng.chance(0.3)) {
      for (size_t i = 0; i < count; i++) w.weights[i] = static_cast<int8_t>(w.weights[i] / 2);
    } else if (constant || rng.chance(0.7)) {
      for (size_t c = 0; c < channels; c++) w.zero_points[c] = static_cast<int8_t>(rng.between(2, 127));
      for (size_t i = 0; i < count; i += 1 + i % 3) w.weights[i] = -127;
    }
    // The farthest of all, which packers treat apart.
    if (rng.chance(0.3)) {
      for (size_t c = 0; c < channels; c++)
        if (rng.chance(0.5)) w.zero_points[c] = -128;
      for (size_t i = 0; i < count; i += 1 + i % 3) w.weights[i] = 127;
    }
    // Some layers have blocks without any.
    if (rng.chance(0.3))
      for (size_t c = 0; c < channels; c++)
        if (!rng.chance(0.1)) w.zero_points[c] = 0;
  }
  // Typical outputs have a deviation of about 50 steps; one layer in six saturates or vanishes instead.
  static constexpr double kOdd[] = {1e-6, 1e-2, 40, 1e5, 1e20};
  const double odd = !plain && rng.chance(1.0 / 6) ? rng.pick(kOdd) : 1;
  // Products of constants all have the same sign: they add up, where random ones cancel out.
  const double terms = static_cast<double>(depth);
  const double typical = 50 / (74.0 * 74.0 * (constant ? 4 * terms : std::sqrt(terms)));
  const bool extreme_bias = !plain && rng.chance(0.1);
  static constexpr int32_t kBias[] = {std::numeric_limits<int32_t>::min(),
                                      std::numeric_limits<int32_t>::max(), 0, -1};
  for (size_t c = 0; c < channels; c++) {
    w.bias[c] = extreme_bias ? rng.pick(kBias) : static_cast<int32_t>(rng.between(-40000, 40000));
    w.multiplier[c] = static_cast<float>(typical * odd * (0.5 + rng.unit()));
    if (!plain && rng.chance(0.1))
      w.multiplier[c] = 0.5f / static_cast<float>(1 << rng.between(0, 12));  // ties
  }
  return w;
}

void add_zero_points(Workbench& bench, size_t count, size_t channels, S8Weights* weights) {
  weights->zero_points = bench.input<int8_t>(channels);
  for (size_t c = 0; c < channels; c++)
    weights->zero_points[c] = static_cast<int8_t>(bench.rng().between(2, 127));
  for (size_t i = 0; i < count; i += 1 + i % 3) weights->weights[i] = -127;
}

OutputRange make_s8_range(Workbench& bench, bool plain) {
  Rng& rng = bench.rng();
  static constexpr int32_t kZeroPoints[] = {-128, -127, 0, 127};
  const int32_t zero_point =
      rng.chance(0.3) ? rng.pick(kZeroPoints) : static_cast<int32_t>(rng.between(-128, 127));
  int32_t qmin = -128, qmax = 127;
  if (!plain && rng.chance(0.4)) qmin = zero_point;
  if (!plain && rng.chance(0.2)) qmax = static_cast<int32_t>(rng.between(qmin, 127));
  return {static_cast<float>(qmin - zero_point), static_cast<float>(qmax - zero_point), zero_point};
}

}  // namespace hone::check
