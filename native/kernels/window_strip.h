#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/tile.h"
#include "native/kernels/unroll.h"
#include "native/kernels/window_span.h"

/// Pooling in two steps: each strip of an output row first reduces the kernel rows of all its input columns,
/// which lie side by side in memory, into a buffer on the stack; windows are then one row high and may be
/// read in whole vectors. Pays where a pixel is shorter than a few vectors. Internal linkage on purpose, as
/// everywhere below a kernel.
namespace hone {
namespace {

/// Elements of a strip's buffer, and of the slack behind it for whole vectors.
inline constexpr int64_t kStripElements = 4096;
inline constexpr int64_t kStripSlack = 32;

/// Neighbouring pixels [begin, end) of one output row (n * out_h + h) and the input columns of their windows:
/// pad_left columns of padding, `inside` columns of the input, pad_right of padding.
struct Strip {
  int64_t row;
  int32_t begin, end;
  int64_t pad_left, inside, pad_right;
  int32_t rows;         ///< kernel rows inside the input
  const int8_t* first;  ///< first kernel row and column inside; not to be followed when rows or inside is 0
  ptrdiff_t row_step;   ///< bytes from one kernel row to the next
};

/// Columns of `count` neighbouring windows.
inline int64_t strip_columns(const WindowShape& w, int64_t count) {
  return (count - 1) * w.stride_w + int64_t{w.kernel_w - 1} * w.dilation_w + 1;
}

/// Output pixels per strip; 0 when not even one window fits.
inline int64_t strip_pixels(const WindowShape& w, int64_t channels) {
  const int64_t columns = kStripElements / channels, reach = strip_columns(w, 1);
  if (columns < reach) return 0;
  const int64_t count = (columns - reach) / w.stride_w + 1;
  return count < w.out_w ? count : w.out_w;
}

/// Whether pixels follow one another without gaps and are short enough for several windows per strip.
inline bool strips_pay(const WindowShape& w, int64_t channels, ptrdiff_t x_stride) {
  return x_stride == channels && channels <= 512 && strip_pixels(w, channels) > 0;
}

/// Calls visit(strip) for the rows of a tile, in order. Input pixels follow one another without gaps;
/// strip_pixels > 0.
template <class Visit>
inline void for_each_strip(const WindowShape& w, const int8_t* x, int64_t channels, const Tile& tile,
                           Visit visit) {
  const int32_t pixels = static_cast<int32_t>(strip_pixels(w, channels));
  Strip strip;
  strip.row_step = static_cast<ptrdiff_t>(w.dilation_h) * w.in_w * channels;
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const int32_t in_y = static_cast<int32_t>(row % w.out_h) * w.stride_h - w.pad_top;
    const WindowSpan rows = clip_window(in_y, w.kernel_h, w.dilation_h, w.in_h);
    const int64_t first_row = row / w.out_h * w.in_h + in_y + rows.begin * w.dilation_h;
    strip.row = row;
    strip.rows = rows.end - rows.begin;
    for (strip.begin = 0; strip.begin < w.out_w; strip.begin = strip.end) {
      strip.end = w.out_w - strip.begin < pixels ? w.out_w : strip.begin + pixels;
      const int64_t columns = strip_columns(w, strip.end - strip.begin);
      const int64_t in_x = int64_t{strip.begin} * w.stride_w - w.pad_left;
      int64_t left = in_x < 0 ? -in_x : 0, right = in_x < w.in_w ? w.in_w - in_x : 0;
      if (left > columns) left = columns;
      if (right > columns) right = columns;
      if (right < left) right = left;
      strip.pad_left = left;
      strip.inside = right - left;
      strip.pad_right = columns - right;
      strip.first =
          strip.rows > 0 && strip.inside > 0 ? x + (first_row * w.in_w + in_x + left) * channels : x;
      visit(strip);
    }
  }
}

/// Calls store(pixel, channel, count) so that every channel of the pixels [0, pixels) is written, by stores
/// of 16 channels and, where those would leave the row, of fewer. `room` counts the elements from the first
/// pixel to the end of the row when pixels follow one another without gaps: a store then may run over into
/// the next pixel, which is written later. 0 forbids that.
template <class Store>
inline void for_each_group(int64_t pixels, int64_t channels, int64_t room, Store store) {
  for (int64_t p = 0; p < pixels; p++) {
    if (channels < 16) {
      store(p, int64_t{0}, room - p * channels >= 16 ? 16 : static_cast<int>(channels));
      continue;
    }
    for (int64_t c = 0; c + 16 <= channels; c += 16) store(p, c, 16);
    if (channels % 16 != 0) store(p, channels - 16, 16);
  }
}

/// Calls body(count), with an Index for the commonest counts of kernel rows or columns: their loops unroll.
template <class Body>
inline void with_known_count(int32_t count, Body body) {
  switch (count) {
    case 2:
      return body(Index<2>{});
    case 3:
      return body(Index<3>{});
    default:
      return body(count);
  }
}

}  // namespace
}  // namespace hone
