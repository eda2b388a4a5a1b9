#pragma once
#include "native/kernels/dwconv_s8/dwconv_s8.h"
#include "native/kernels/window_band.h"

namespace hone {
namespace {

/// Scratch of a NEON row: the band, then from this offset on 16 int16 sums for each of its columns.
inline size_t dwconv_s8_neon_sums_offset(const DwconvS8Shape& shape) {
  return (band_bytes(shape.window, shape.channels, 1) + 63) / 64 * 64;
}

inline size_t dwconv_s8_neon_scratch_bytes(const DwconvS8Shape& shape) {
  const WindowShape& w = shape.window;
  const int32_t columns = band_out_columns(w, static_cast<size_t>(shape.channels));
  return dwconv_s8_neon_sums_offset(shape) +
         static_cast<size_t>(band_columns(w, columns)) * 16 * sizeof(int16_t);
}

}  // namespace
}  // namespace hone
