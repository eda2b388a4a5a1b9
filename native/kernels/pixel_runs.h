#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/tile.h"

namespace hone {
namespace {

/// How the pixels and channels of x and y lie in memory, in elements.
struct PixelLayout {
  int64_t channels;
  ptrdiff_t x_pixel_stride, x_channel_stride;
  ptrdiff_t y_pixel_stride, y_channel_stride;

  /// Channels are neighbours in both tensors.
  bool channels_last() const { return channels == 1 || (x_channel_stride == 1 && y_channel_stride == 1); }
  /// Pixels follow one another without gaps in both tensors, so a run of pixels is one run of elements.
  bool dense() const { return channels_last() && x_pixel_stride == channels && y_pixel_stride == channels; }
};

/// Pixels or channels of x and y, strides in elements.
struct PixelAxis {
  int64_t count;
  ptrdiff_t x_stride, y_stride;
};

/// Calls visit(outer, first pixel, number of pixels) for the items outer * pixels + pixel of a tile.
template <class Visit>
inline void for_each_pixel_run(int64_t pixels, const Tile& tile, Visit visit) {
  for (int64_t item = tile.begin; item < tile.end;) {
    const int64_t pixel = item % pixels;
    const int64_t count = pixels - pixel < tile.end - item ? pixels - pixel : tile.end - item;
    visit(item / pixels, pixel, count);
    item += count;
  }
}

}  // namespace
}  // namespace hone
