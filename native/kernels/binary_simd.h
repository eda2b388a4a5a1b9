#pragma once
#include "native/core/binary_operation.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// a op b, lane by lane, as binary_ref.h defines it.
template <BinaryOperation kOperation>
inline VecF apply(VecF a, VecF b) {
  if constexpr (kOperation == BinaryOperation::kAdd) {
    return add(a, b);
  } else {
    static_assert(kOperation == BinaryOperation::kMultiply, "define the operation here");
    return multiply(a, b);
  }
}

}  // namespace
}  // namespace hone
