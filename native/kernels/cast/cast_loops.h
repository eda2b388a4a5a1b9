#pragma once
#include <limits>
#include <type_traits>

#include "native/kernels/cast/cast.h"
#include "native/kernels/half.h"
#include "native/kernels/repeats.h"
#include "native/kernels/typed.h"

/// What every row of cast compiles for its instruction set: plain loops, which compilers vectorize.
namespace hone {
namespace {

/// The number that an element stands for.
template <typename From>
auto read(From x) {
  if constexpr (std::is_same_v<From, Half>) {
    return half_to_float(static_cast<uint16_t>(x));
  } else if constexpr (std::is_same_v<From, Truth>) {
    return static_cast<uint8_t>(x != Truth{0});
  } else {
    return x;
  }
}

/// 2^digits as a float, the first number above all of T: exact.
template <typename T>
constexpr float beyond() {
  return static_cast<float>(static_cast<uint64_t>(1) << (std::numeric_limits<T>::digits - 1)) * 2.0f;
}

template <typename To, typename From>
To convert(From raw) {
  const auto x = read(raw);
  using Number = std::remove_const_t<decltype(x)>;
  if constexpr (std::is_same_v<To, Half>) {
    return static_cast<Half>(float_to_half(static_cast<float>(x)));
  } else if constexpr (std::is_same_v<To, Truth>) {
    return static_cast<Truth>(x != 0);
  } else if constexpr (std::is_same_v<Number, float> && !std::is_same_v<To, float>) {
    if (x >= beyond<To>()) return std::numeric_limits<To>::max();
    constexpr float kLeast = static_cast<float>(std::numeric_limits<To>::min());
    // Truncation goes towards 0, so everything above kLeast - 1 has a place.
    if (x <= kLeast) return std::numeric_limits<To>::min();
    return x == x ? static_cast<To>(x) : To{0};
  } else {
    return static_cast<To>(x);
  }
}

inline void cast_tile(const CastArgs& args, const Tile& tile) {
  with_type(args.y_type, [&](auto to) {
    with_type(args.x_type, [&](auto from) {
      using To = decltype(to);
      using From = decltype(from);
      auto* y = static_cast<To*>(args.y);
      const auto* x = static_cast<const From*>(args.x);
      HONE_INDEPENDENT
      for (int64_t i = tile.begin; i < tile.end; i++) y[i] = convert<To>(x[i]);
    });
  });
}

}  // namespace
}  // namespace hone
