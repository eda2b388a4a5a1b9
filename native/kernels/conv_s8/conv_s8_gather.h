#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/kernels/conv_s8/conv_s8_rows.h"

/// Internal linkage on purpose: an instruction-set file must keep its own copy.
namespace hone {
namespace {

/// memcpy for the few bytes of a window row, without a call: whole words, the last one overlapping.
inline void copy_short(int8_t* to, const int8_t* from, size_t bytes) {
  if (bytes >= 16) {
    size_t i = 0;
    for (; i + 16 <= bytes; i += 16) memcpy(to + i, from + i, 16);
    if (i < bytes) memcpy(to + bytes - 16, from + bytes - 16, 16);
  } else if (bytes >= 8) {
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + bytes - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + bytes - 8, &tail, 8);
  } else if (bytes >= 4) {
    uint32_t head, tail;
    memcpy(&head, from, 4);
    memcpy(&tail, from + bytes - 4, 4);
    memcpy(to, &head, 4);
    memcpy(to + bytes - 4, &tail, 4);
  } else {
    for (size_t i = 0; i < bytes; i++) to[i] = from[i];
  }
}

/// Writes the windows of `count` output pixels from `first` on, for one group: rows[p * length + k], k in the
/// order kernel row, kernel column, channel; positions outside the input hold the zero point of x, the tail
/// up to `length` (conv_s8_gather_length) holds 0. Contiguous pieces of the input are copied at once.
[[maybe_unused]] void conv_s8_gather(const ConvS8Shape& shape, const ConvS8Args& args, int32_t group,
                                     int64_t first, int64_t count, size_t length, int8_t* rows) {
  const WindowShape& w = shape.window;
  const int32_t channels = shape.in_channels / shape.groups;
  const bool dense = shape.groups == 1 && w.dilation_w == 1 && args.x_stride == channels;
  const int64_t plane = static_cast<int64_t>(w.out_h) * w.out_w;
  int64_t image = first / plane;
  int32_t out_y = static_cast<int32_t>(first % plane / w.out_w);
  int32_t out_x = static_cast<int32_t>(first % plane % w.out_w);
  for (int64_t p = 0; p < count; p++, rows += length) {
    memset(rows + length - 16, 0, 16);  // the tail, before the window overwrites the rest
    int8_t* to = rows;
    const int32_t left = out_x * w.stride_w - w.pad_left;
    for (int32_t kh = 0; kh < w.kernel_h; kh++) {
      const int32_t in_y = out_y * w.stride_h - w.pad_top + kh * w.dilation_h;
      const size_t run = static_cast<size_t>(w.kernel_w) * channels;
      if (in_y < 0 || in_y >= w.in_h) {
        memset(to, args.x_zero_point, run);
        to += run;
        continue;
      }
      const int8_t* from = args.x + (image * w.in_h + in_y) * w.in_w * args.x_stride +
                           static_cast<ptrdiff_t>(group) * channels;
      if (dense && left >= 0 && left + w.kernel_w <= w.in_w) {
        copy_short(to, from + left * args.x_stride, run);
        to += run;
        continue;
      }
      for (int32_t kw = 0; kw < w.kernel_w; kw++, to += channels) {
        const int32_t in_x = left + kw * w.dilation_w;
        if (in_x < 0 || in_x >= w.in_w) {
          memset(to, args.x_zero_point, channels);
        } else {
          copy_short(to, from + in_x * args.x_stride, static_cast<size_t>(channels));
        }
      }
    }
    if (++out_x == w.out_w) {
      out_x = 0;
      if (++out_y == w.out_h) {
        out_y = 0;
        image++;
      }
    }
  }
}

}  // namespace
}  // namespace hone
