#pragma once
#include <cstddef>
#include <cstdint>

namespace hone {

/// Arrays x [outer, length, inner] and y [outer, inner]: what the kernels `reduce_<what>_<type>` take.
/// Neighbours along `inner` lie next to each other; with an inner of 1, those along `length` may. No overlap.
template <typename T>
struct Reduction {
  T* y;
  const T* x;
  int64_t length;            ///< elements that become one, at least one
  int64_t inner;             ///< elements of a row of y
  ptrdiff_t x_stride;        ///< elements of x from one that is reduced to the next
  ptrdiff_t x_outer_stride;  ///< elements of x from what gives one row of y to what gives the next
  ptrdiff_t y_stride;        ///< elements from one row of y to the next
};

}  // namespace hone
