#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/conv_s8/conv_s8_rows.h"

namespace hone {

/// How a NEON row walks a convolution: a panel of output pixels at a time against every block, so that
/// weights stream once per panel. The panel is a list of pointers to the rows of the matrix product. They
/// point into the input where the channels of a position are whole k groups, else at windows gathered into
/// scratch.
struct ConvS8NeonPanel {
  bool gathered;
  int32_t pixels;        ///< of a panel, a multiple of the tile's rows
  int32_t taps;          ///< pointers per pixel
  size_t pointer_bytes;  ///< scratch: pointers first, then padding (one kernel row of x zero points) or
                         ///< gathered windows
  size_t scratch_bytes;
};

/// Panel of a row whose tiles have `rows` pixels.
static inline ConvS8NeonPanel conv_s8_neon_panel(const ConvS8Shape& shape, const GemmFormat& format,
                                                 int32_t rows) {
  constexpr int32_t kMaxTiles = 8;
  constexpr size_t kGatheredTarget = 16 * 1024;  // half of the smallest first-level cache
  const WindowShape& w = shape.window;
  const int32_t channels = shape.in_channels / shape.groups;
  const int32_t positions = w.kernel_h * w.kernel_w;
  // Short runs cost more in loop overhead than gathering does.
  const bool long_runs = channels % 16 == 0 || channels >= 32 || positions == 1;
  ConvS8NeonPanel panel = {};
  panel.gathered = channels % format.k_group != 0 || !long_runs;
  panel.taps = panel.gathered ? 1 : positions;
  size_t tiles = kMaxTiles;
  size_t rest = static_cast<size_t>(w.kernel_w) * channels;
  if (panel.gathered) {
    const size_t tile_bytes = rows * conv_s8_gather_length(shape);
    if (tiles > kGatheredTarget / tile_bytes) tiles = kGatheredTarget / tile_bytes;
    if (tiles < 1) tiles = 1;
    rest = tiles * tile_bytes;
  }
  panel.pixels = static_cast<int32_t>(tiles) * rows;
  panel.pointer_bytes = static_cast<size_t>(panel.pixels) * panel.taps * sizeof(const int8_t*);
  panel.scratch_bytes = panel.pointer_bytes + rest;
  return panel;
}

}  // namespace hone
