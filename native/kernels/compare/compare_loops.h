#pragma once
#include <type_traits>

#include "native/kernels/compare/compare.h"
#include "native/kernels/repeats.h"
#include "native/kernels/typed.h"

/// What every row of compare compiles for its instruction set: plain loops, which compilers vectorize.
namespace hone {
namespace {

template <Comparison kComparison, typename T>
bool holds(T a, T b) {
#define HONE_COMPARISON(number, symbol, word, sign) \
  if constexpr (kComparison == Comparison::k##symbol) return a sign b;
#include "native/core/comparisons.def"
}

template <Comparison kComparison, typename T>
void compare_elements(const CompareArgs& args, const Tile& tile) {
  const T* const a = static_cast<const T*>(args.a);
  const LongRepeat<T> b(static_cast<const T*>(args.b), args.b_count, tile.end - tile.begin);
  uint8_t* const y = args.y;
  for_each_repeat(tile.begin, tile.end, b.period(), [&](int64_t begin, int64_t end, int64_t at) {
    const T* const from = b.data() + at - begin;
    HONE_INDEPENDENT
    for (int64_t i = begin; i < end; i++) {
      if constexpr (std::is_same_v<T, Truth>) {
        y[i] = static_cast<uint8_t>(holds<kComparison>(a[i] != Truth{0}, from[i] != Truth{0}));
      } else {
        y[i] = static_cast<uint8_t>(holds<kComparison>(a[i], from[i]));
      }
    }
  });
}

inline void compare_tile(const CompareArgs& args, const Tile& tile) {
  with_type(args.type, [&](auto type) {
    using T = decltype(type);
    switch (args.comparison) {
#define HONE_COMPARISON(number, symbol, ...) \
  case Comparison::k##symbol:                \
    return compare_elements<Comparison::k##symbol, T>(args, tile);
#include "native/core/comparisons.def"
    }
  });
}

}  // namespace
}  // namespace hone
