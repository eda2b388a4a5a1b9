#pragma once
#include <type_traits>

#include "native/kernels/arg_extreme/arg_extreme.h"
#include "native/kernels/typed.h"

// What every row does with elements that it has no registers for.
namespace hone {
namespace {

/// Whether x takes the place of `best`, which stands before it.
template <bool kSmallest, bool kLast, typename T>
inline bool is_better(T x, T best) {
  if (kLast && x == best) return true;
  return kSmallest ? x < best : x > best;
}

template <bool kSmallest, bool kLast, typename T>
inline int64_t find_extreme(const T* x, int64_t length, int64_t stride) {
  int64_t at = 0;
  T best = x[0];
  for (int64_t i = 1; i < length; i++) {
    const T candidate = x[i * stride];
    if (!is_better<kSmallest, kLast>(candidate, best)) continue;
    best = candidate;
    at = i;
  }
  return at;
}

template <bool kSmallest, bool kLast>
inline void find_each(const ArgExtremeArgs& args, const Tile& tile) {
  with_type(args.type, [&](auto type) {
    using T = decltype(type);
    if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, Truth>) {
      const T* const x = static_cast<const T*>(args.x);
      for (int64_t item = tile.begin; item < tile.end; item++) {
        const int64_t from = item / args.inner * args.length * args.inner + item % args.inner;
        args.y[item] = find_extreme<kSmallest, kLast>(x + from, args.length, args.inner);
      }
    }
  });
}

/// Calls body with std::bool_constant of `smallest` and `last`.
template <typename Body>
inline void with_order(const ArgExtremeArgs& args, const Body& body) {
  if (args.smallest)
    return args.last ? body(std::true_type{}, std::true_type{}) : body(std::true_type{}, std::false_type{});
  return args.last ? body(std::false_type{}, std::true_type{}) : body(std::false_type{}, std::false_type{});
}

}  // namespace
}  // namespace hone
