#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/tile.h"
#include "native/kernels/window.h"

/// A band is a copy in scratch of the input rows that some output pixels read, with the padding written out:
/// kernels then see windows without edges, at a fixed distance from one another, in the element type they
/// want. Internal linkage on purpose: an instruction-set file must keep its own copy.
namespace hone {
namespace {

/// Bytes a band aims at: half of a small second-level cache, next to the weights.
inline constexpr size_t kBandTarget = 96 * 1024;

/// Readable bytes behind the last element of a band: kernels load whole vectors.
inline constexpr size_t kBandSlack = 128;

/// Part of an output plane: rows [y_begin, y_end) by columns [x_begin, x_end) of one image.
struct Rectangle {
  int64_t image;
  int32_t y_begin, y_end;
  int32_t x_begin, x_end;
};

/// Input rows (columns) from one output row to the next inside a band. A 1-high kernel reads every
/// stride_h-th row only, and only those are copied.
inline int32_t band_step_h(const WindowShape& w) { return w.kernel_h == 1 ? 1 : w.stride_h; }
inline int32_t band_step_w(const WindowShape& w) { return w.kernel_w == 1 ? 1 : w.stride_w; }

/// Rows (columns) of a band for `count` output rows (columns).
inline int64_t band_rows(const WindowShape& w, int64_t count) {
  return (count - 1) * band_step_h(w) + (w.kernel_h - 1) * int64_t{w.dilation_h} + 1;
}
inline int64_t band_columns(const WindowShape& w, int64_t count) {
  return (count - 1) * band_step_w(w) + (w.kernel_w - 1) * int64_t{w.dilation_w} + 1;
}

/// Output columns per band: all of them unless even one output row would miss the target by far.
inline int32_t band_out_columns(const WindowShape& w, size_t pixel_bytes) {
  const size_t row_bytes = static_cast<size_t>(band_rows(w, 1)) * band_columns(w, w.out_w) * pixel_bytes;
  if (row_bytes <= 2 * kBandTarget) return w.out_w;
  const int64_t pieces = static_cast<int64_t>((row_bytes + kBandTarget - 1) / kBandTarget);
  const int64_t columns = (w.out_w + pieces - 1) / pieces;
  // Whole multiples of every micro-kernel's width, and wide enough that the overlap of pieces stays small.
  const int64_t rounded = (columns + 47) / 48 * 48;
  return static_cast<int32_t>(rounded < w.out_w ? rounded : w.out_w);
}

/// Output rows per band, at least 1.
inline int32_t band_out_rows(const WindowShape& w, size_t pixel_bytes) {
  const size_t row_bytes =
      static_cast<size_t>(band_columns(w, band_out_columns(w, pixel_bytes))) * pixel_bytes;
  const int64_t rows = static_cast<int64_t>(kBandTarget / row_bytes) - band_rows(w, 1);
  const int64_t count = rows <= 0 ? 1 : rows / band_step_h(w) + 1;
  return static_cast<int32_t>(count < w.out_h ? count : w.out_h);
}

/// A 1x1 kernel with stride 1 and no padding sees no rows: one long row of all pixels, in the same order.
inline WindowShape band_flattened(const WindowShape& w) {
  const bool plain = w.kernel_h == 1 && w.kernel_w == 1 && w.stride_h == 1 && w.stride_w == 1 &&
                     w.pad_top == 0 && w.pad_left == 0 && w.in_h == w.out_h && w.in_w == w.out_w;
  const int64_t pixels = static_cast<int64_t>(w.batch) * w.out_h * w.out_w;
  if (!plain || pixels > INT32_MAX) return w;
  WindowShape flat = w;
  flat.batch = flat.in_h = flat.out_h = 1;
  flat.in_w = flat.out_w = static_cast<int32_t>(pixels);
  return flat;
}

/// Scratch for bands of any tile.
inline size_t band_bytes(const WindowShape& window, int32_t channels, int32_t element_bytes) {
  const WindowShape w = band_flattened(window);
  const size_t pixel_bytes = static_cast<size_t>(channels) * element_bytes;
  const int32_t columns = band_out_columns(w, pixel_bytes);
  const int32_t rows = band_out_rows(w, pixel_bytes);
  return static_cast<size_t>(band_rows(w, rows)) * band_columns(w, columns) * pixel_bytes + kBandSlack;
}

/// Calls visit(rectangle) for pieces of the items [begin, end) (output pixels in row-major order) that fit
/// the scratch of band_bytes, in order.
template <class Visit>
inline void for_each_rectangle(const WindowShape& w, size_t pixel_bytes, int64_t begin, int64_t end,
                               Visit visit) {
  const int32_t max_columns = band_out_columns(w, pixel_bytes);
  const int32_t max_rows = band_out_rows(w, pixel_bytes);
  while (begin < end) {
    const int64_t row = begin / w.out_w;  // of all images
    const int32_t x = static_cast<int32_t>(begin % w.out_w);
    const int32_t y = static_cast<int32_t>(row % w.out_h);
    Rectangle r = {row / w.out_h, y, y + 1, x, w.out_w};
    if (end - begin < w.out_w - x) r.x_end = x + static_cast<int32_t>(end - begin);
    if (r.x_end - r.x_begin > max_columns) r.x_end = x + max_columns;
    if (x == 0 && r.x_end == w.out_w) {
      int64_t rows = (end - begin) / w.out_w;
      if (rows > w.out_h - y) rows = w.out_h - y;
      if (rows > max_rows) rows = max_rows;
      r.y_end = y + static_cast<int32_t>(rows);
    }
    visit(r);
    begin += static_cast<int64_t>(r.y_end - r.y_begin) * (r.x_end - r.x_begin);
  }
}

/// Copies the input of a rectangle: band[row][column][channel], rows band_columns(...) * channels elements
/// apart. Convert has fill(to, count), which writes the zero point, and copy(to, from, count).
template <class Element, class Convert>
inline void fill_band(const WindowShape& w, int32_t channels, const Rectangle& r, const int8_t* x,
                      ptrdiff_t x_stride, Element* band, Convert convert) {
  const int64_t columns = band_columns(w, r.x_end - r.x_begin);
  const int64_t rows = band_rows(w, r.y_end - r.y_begin);
  const int64_t skip_w = w.kernel_w == 1 ? w.stride_w : 1;
  const int64_t skip_h = w.kernel_h == 1 ? w.stride_h : 1;
  const int64_t first_column = static_cast<int64_t>(r.x_begin) * w.stride_w - w.pad_left;
  const int64_t first_row = static_cast<int64_t>(r.y_begin) * w.stride_h - w.pad_top;
  // Columns [left, right) lie inside the input.
  int64_t left = first_column < 0 ? (-first_column + skip_w - 1) / skip_w : 0;
  int64_t right = first_column < w.in_w ? (w.in_w - first_column + skip_w - 1) / skip_w : 0;
  if (left > columns) left = columns;
  if (right > columns) right = columns;
  if (right < left) right = left;
  const bool dense = x_stride == channels && skip_w == 1;
  for (int64_t row = 0; row < rows; row++, band += columns * channels) {
    const int64_t in_y = first_row + row * skip_h;
    if (in_y < 0 || in_y >= w.in_h) {
      convert.fill(band, columns * channels);
      continue;
    }
    const int8_t* from = x + ((r.image * w.in_h + in_y) * w.in_w + first_column + left * skip_w) * x_stride;
    if (left > 0) convert.fill(band, left * channels);
    if (dense) {
      convert.copy(band + left * channels, from, (right - left) * channels);
    } else {
      for (int64_t column = left; column < right; column++, from += skip_w * x_stride) {
        convert.copy(band + column * channels, from, channels);
      }
    }
    if (right < columns) convert.fill(band + right * channels, (columns - right) * channels);
  }
}

}  // namespace
}  // namespace hone
