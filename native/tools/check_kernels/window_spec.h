#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>

#include "native/kernels/window.h"
#include "native/tools/check_kernels/workbench.h"

/// Sliding windows to try, for the float convolutions and the pools.
namespace hone::check {

struct WindowSpec {
  int32_t batch, in_h, in_w, channels;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  int32_t x_gap, y_gap;  ///< elements between pixels that belong to nobody
};

constexpr WindowSpec square_window(int32_t in_h, int32_t in_w, int32_t channels, int32_t kernel,
                                   int32_t stride, int32_t pad) {
  return {1, in_h, in_w, channels, kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad, 0, 0};
}

inline WindowShape shape_of(const WindowSpec& s) {
  const int32_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1, reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
  return {s.batch,
          s.in_h,
          s.in_w,
          (s.in_h + s.pad_top + s.pad_bottom - reach_h) / s.stride_h + 1,
          (s.in_w + s.pad_left + s.pad_right - reach_w) / s.stride_w + 1,
          s.kernel_h,
          s.kernel_w,
          s.stride_h,
          s.stride_w,
          s.dilation_h,
          s.dilation_w,
          s.pad_top,
          s.pad_left};
}

inline std::string text_of(const WindowSpec& s) {
  const WindowShape w = shape_of(s);
  char text[192];
  snprintf(text, sizeof(text), "n%d %dx%dx%d -> %dx%d k%dx%d s%dx%d d%dx%d p%d,%d gaps %d,%d", s.batch,
           s.in_h, s.in_w, s.channels, w.out_h, w.out_w, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w,
           s.dilation_h, s.dilation_w, s.pad_top, s.pad_left, s.x_gap, s.y_gap);
  return text;
}

/// Any window; padding up to the whole kernel, so that some windows lie wholly outside the input.
inline WindowSpec random_window(Rng& rng, int32_t channels) {
  static constexpr int32_t kKernels[] = {1, 2, 2, 3, 3, 3, 5, 7};
  static constexpr int32_t kGaps[] = {0, 0, 0, 1, 13};
  WindowSpec s = {};
  s.batch = rng.chance(0.2) ? 2 : 1;
  s.channels = channels;
  s.kernel_h = rng.pick(kKernels);
  s.kernel_w = rng.chance(0.8) ? s.kernel_h : rng.pick(kKernels);
  s.stride_h = static_cast<int32_t>(rng.between(1, 3));
  s.stride_w = rng.chance(0.8) ? s.stride_h : static_cast<int32_t>(rng.between(1, 3));
  s.dilation_h = rng.chance(0.8) ? 1 : 2;
  s.dilation_w = rng.chance(0.8) ? 1 : static_cast<int32_t>(rng.between(1, 3));
  if (rng.chance(0.7)) {
    s.pad_top = static_cast<int32_t>(rng.between(0, s.kernel_h));
    s.pad_left = static_cast<int32_t>(rng.between(0, s.kernel_w));
    s.pad_bottom = static_cast<int32_t>(rng.between(0, s.kernel_h));
    s.pad_right = static_cast<int32_t>(rng.between(0, s.kernel_w));
  }
  const int32_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1, reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
  s.in_h = std::max(1, reach_h - s.pad_top - s.pad_bottom + static_cast<int32_t>(rng.between(0, 5)));
  s.in_w = std::max(1, reach_w - s.pad_left - s.pad_right + static_cast<int32_t>(rng.between(0, 15)));
  s.x_gap = rng.pick(kGaps);
  s.y_gap = rng.pick(kGaps);
  return s;
}

inline size_t input_pixels(const WindowSpec& s) { return static_cast<size_t>(s.batch) * s.in_h * s.in_w; }

/// Elements that the input of a window spans, gaps between pixels included.
inline size_t input_count(const WindowSpec& s) {
  return (input_pixels(s) - 1) * (s.channels + s.x_gap) + s.channels;
}

template <class T>
T* make_window_input(Workbench& bench, const WindowSpec& s) {
  return bench.input<T>(input_pixels(s), s.channels, s.channels + s.x_gap);
}

}  // namespace hone::check
