#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/tile.h"
#include "native/kernels/window.h"

namespace hone {
namespace {

/// Positions begin..end (half-open) of a window along one axis that lie inside the input.
struct WindowSpan {
  int32_t begin, end;
};

/// Span of a window whose position 0 stands at `origin` (negative: in the padding) of an axis of `extent`
/// elements.
inline WindowSpan clip_window(int32_t origin, int32_t kernel, int32_t dilation, int32_t extent) {
  if (origin >= 0 && origin + (kernel - 1) * dilation < extent) return {0, kernel};
  const int32_t begin = origin >= 0 ? 0 : (dilation - 1 - origin) / dilation;
  const int32_t room = origin >= extent ? 0 : (extent - origin + dilation - 1) / dilation;
  const int32_t end = room < kernel ? room : kernel;
  return end > begin ? WindowSpan{begin, end} : WindowSpan{0, 0};
}

/// The part of one output pixel's window that lies inside the input.
template <class Element>
struct ClippedWindow {
  const Element* first;  ///< upper left pixel
  int32_t rows, columns;
  ptrdiff_t row_step, column_step;  ///< elements between neighbouring window rows and columns
};

/// Calls visit(y pixel, window) for each output pixel of the rows (n * out_h + h) of a tile.
template <class Element, class Visit>
inline void for_each_window(const WindowShape& w, const Element* x, ptrdiff_t x_stride, Element* y,
                            ptrdiff_t y_stride, const Tile& tile, Visit visit) {
  ClippedWindow<Element> window;
  window.row_step = static_cast<ptrdiff_t>(w.dilation_h) * w.in_w * x_stride;
  window.column_step = w.dilation_w * x_stride;
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const int64_t image = row / w.out_h;
    const int32_t in_y = static_cast<int32_t>(row % w.out_h) * w.stride_h - w.pad_top;
    const WindowSpan rows = clip_window(in_y, w.kernel_h, w.dilation_h, w.in_h);
    const int64_t first_row = image * w.in_h + in_y + rows.begin * w.dilation_h;
    window.rows = rows.end - rows.begin;
    for (int32_t out_x = 0; out_x < w.out_w; out_x++) {
      const int32_t in_x = out_x * w.stride_w - w.pad_left;
      const WindowSpan columns = clip_window(in_x, w.kernel_w, w.dilation_w, w.in_w);
      window.columns = columns.end - columns.begin;
      // An empty window has no first pixel; its pointer is never followed.
      const bool empty = window.rows == 0 || window.columns == 0;
      window.first = empty ? x : x + (first_row * w.in_w + in_x + columns.begin * w.dilation_w) * x_stride;
      visit(y + (row * w.out_w + out_x) * y_stride, window);
    }
  }
}

}  // namespace
}  // namespace hone
