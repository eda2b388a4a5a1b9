#pragma once
#include <cstring>
#include <type_traits>

#include "native/core/element_type.h"
#include "native/kernels/extremes.h"
#include "native/kernels/scatter_combination.h"
#include "native/kernels/typed.h"

namespace hone {
namespace {

/// What an element becomes: integers wrap around, extremes of floats as extremes.h has them.
template <typename T>
inline T combine(ScatterCombination combination, T old, T update) {
  using Number = std::conditional_t<std::is_same_v<T, float>, float, uint64_t>;
  const Number a = static_cast<Number>(old), b = static_cast<Number>(update);
  switch (combination) {
    case ScatterCombination::kReplace:
      break;
    case ScatterCombination::kAdd:
      return static_cast<T>(a + b);
    case ScatterCombination::kMultiply:
      return static_cast<T>(a * b);
    case ScatterCombination::kMaximum:
      if constexpr (std::is_same_v<T, float>) return maximum(old, update);
      return old > update ? old : update;
    case ScatterCombination::kMinimum:
      if constexpr (std::is_same_v<T, float>) return minimum(old, update);
      return old < update ? old : update;
  }
  return update;
}

/// y = x, unless they are one.
template <typename Args>
inline void copy_all(const Args& args) {
  const auto bytes = static_cast<size_t>(args.y_count * element_bytes(args.type));
  if (args.y != args.x) memcpy(args.y, args.x, bytes);
}

}  // namespace
}  // namespace hone
