#pragma once
#include <cstdint>
#include <cstdlib>

namespace hone {

/// Whether elements `offset` + sum of i_d * strides[d], i_d < extents[d] (at least 1 each), lie among
/// `count`.
inline bool stays_inside(int32_t rank, const int64_t* extents, const int64_t* strides, int64_t offset,
                         int64_t count) {
  if (offset < 0 || offset >= count) return false;
  int64_t low = offset;
  int64_t high = offset;
  for (int32_t d = 0; d < rank; ++d) {
    const int64_t stride = strides[d];
    if (extents[d] == 1 || stride == 0) continue;
    if (stride <= -count || stride >= count || extents[d] - 1 > (count - 1) / std::abs(stride)) return false;
    const int64_t reach = stride * (extents[d] - 1);
    (reach < 0 ? low : high) += reach;
    if (low < 0 || high >= count) return false;
  }
  return true;
}

}  // namespace hone
