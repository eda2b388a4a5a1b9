#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Strided copy of an array of up to 8 dimensions: dst[sum i_d * dst_stride_d] = src[sum i_d * src_stride_d].
/// Serves Concat, Slice (negative strides too), Pad (into a filled tensor), Transpose and layout changes. No
/// overlap.
inline constexpr int kCopyMaxRank = 8;

struct CopyNdArgs {
  uint8_t* dst;
  const uint8_t* src;
  int32_t rank;                         ///< 1..8
  int32_t element_bytes;                ///< 1, 2, 4 or 8
  int64_t extents[kCopyMaxRank];        ///< outermost first, each >= 1
  ptrdiff_t dst_strides[kCopyMaxRank];  ///< bytes
  ptrdiff_t src_strides[kCopyMaxRank];  ///< bytes
};

/// An item is an index of the outermost dimension; blocks are not used.
struct CopyNdRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const CopyNdArgs& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const CopyNdRow kCopyNdRows[];
extern const int kCopyNdRowCount;

}  // namespace hone
