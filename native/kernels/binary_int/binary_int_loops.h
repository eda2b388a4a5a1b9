#pragma once
#include <type_traits>

#include "native/kernels/binary_int/binary_int.h"
#include "native/kernels/repeats.h"
#include "native/kernels/typed.h"

/// What every row of binary_int compiles for its instruction set: plain loops, which compilers vectorize.
namespace hone {
namespace {

/// base^exponent modulo 2^n.
template <typename T>
T power(T base, T exponent) {
  if (exponent < 0) {
    if (base == 1) return 1;
    if (base == static_cast<T>(-1)) return exponent % 2 == 0 ? T{1} : base;
    return 0;
  }
  using Bits = std::make_unsigned_t<T>;
  uint64_t result = 1, square = static_cast<Bits>(base);
  for (uint64_t left = static_cast<Bits>(exponent); left != 0; left >>= 1, square *= square)
    if ((left & 1) != 0) result *= square;
  return static_cast<T>(result);
}

/// Sums and products as unsigned numbers, which wrap around by definition.
template <IntegerOperation kOperation, typename T>
T apply(T a, T b) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  [[maybe_unused]] const Bits u = static_cast<Bits>(a), v = static_cast<Bits>(b);
  if constexpr (kOperation == IntegerOperation::kAdd) {
    return static_cast<T>(u + v);
  } else if constexpr (kOperation == IntegerOperation::kSubtract) {
    return static_cast<T>(u - v);
  } else if constexpr (kOperation == IntegerOperation::kMultiply) {
    return static_cast<T>(u * v);
  } else if constexpr (kOperation == IntegerOperation::kMaximum) {
    return a > b ? a : b;
  } else if constexpr (kOperation == IntegerOperation::kMinimum) {
    return a < b ? a : b;
  } else if constexpr (kOperation == IntegerOperation::kAnd) {
    return static_cast<T>(u & v);
  } else if constexpr (kOperation == IntegerOperation::kOr) {
    return static_cast<T>(u | v);
  } else if constexpr (kOperation == IntegerOperation::kXor) {
    return static_cast<T>(u ^ v);
  } else if constexpr (kOperation == IntegerOperation::kPower) {
    return power(a, b);
  } else {
    if (b == 0) return 0;
    // The least number by -1 overflows: as numbers that wrap around it is itself, without a remainder.
    const bool negates = std::is_signed_v<T> && b == static_cast<T>(-1);
    if constexpr (kOperation == IntegerOperation::kDivide) {
      return negates ? static_cast<T>(Bits{0} - u) : static_cast<T>(a / b);
    } else {
      const T rest = negates ? T{0} : static_cast<T>(a % b);
      if constexpr (kOperation == IntegerOperation::kRemainder) return rest;
      static_assert(kOperation == IntegerOperation::kRemainder || kOperation == IntegerOperation::kModulo);
      return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
    }
  }
}

template <IntegerOperation kOperation, typename T>
void combine(const BinaryIntArgs& args, const Tile& tile) {
  T* const y = static_cast<T*>(args.y);
  const T* const a = static_cast<const T*>(args.a);
  const LongRepeat<T> b(static_cast<const T*>(args.b), args.b_count, tile.end - tile.begin);
  // Bytes of truth may be other than 0 and 1.
  const auto read = [&](T value) {
    if constexpr (std::is_same_v<T, uint8_t>)
      return args.type == ElementType::kBool ? static_cast<T>(value != 0) : value;
    return value;
  };
  for_each_repeat(tile.begin, tile.end, b.period(), [&](int64_t begin, int64_t end, int64_t at) {
    const T* const from = b.data() + at - begin;
    HONE_INDEPENDENT
    for (int64_t i = begin; i < end; i++) y[i] = apply<kOperation>(read(a[i]), read(from[i]));
  });
}

template <typename T>
void combine(const BinaryIntArgs& args, const Tile& tile) {
  switch (args.operation) {
#define HONE_INTEGER_OPERATION(number, symbol, ...) \
  case IntegerOperation::k##symbol:                 \
    return combine<IntegerOperation::k##symbol, T>(args, tile);
#include "native/core/integer_operations.def"
  }
}

inline void binary_int_tile(const BinaryIntArgs& args, const Tile& tile) {
  switch (args.type) {
    case ElementType::kInt64:
      return combine<int64_t>(args, tile);
    case ElementType::kInt32:
      return combine<int32_t>(args, tile);
    case ElementType::kInt8:
      return combine<int8_t>(args, tile);
    default:
      return combine<uint8_t>(args, tile);
  }
}

}  // namespace
}  // namespace hone
