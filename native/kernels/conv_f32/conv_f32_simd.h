#pragma once
#include "native/kernels/conv_f32/conv_f32_rows.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_band.h"

namespace hone {
namespace {

/// Input of a run of output pixels: the tensor itself where no window leaves it, else a band. A window is
/// rows x columns segments of `length` floats; where neighbours in w are neighbours in memory, a whole window
/// row is one segment.
struct Input {
  const float* first;     ///< window of the first pixel
  ptrdiff_t pixel_step;   ///< from the window of a pixel to that of its right neighbour
  ptrdiff_t line_step;    ///< and of the pixel below
  int32_t width, column;  ///< output pixels per line; where in its line the first one stands
  int32_t segment_rows, segment_columns, length;
  ptrdiff_t segment_row_step, segment_column_step;
};

/// Output of one strip and block.
struct Target {
  float* y;  ///< first pixel, first channel of the block
  ptrdiff_t stride;
  int pixels;    ///< of the strip that exist
  int channels;  ///< of the block that exist
  VecF lo, hi;
};

/// x holds the window of each pixel; pixels that do not exist repeat one that does.
template <int kRows, int kVectors>
inline void multiply_strip(const Input& input, const float* const (&x)[kRows], const float* weights,
                           const Target& target) {
  VecF acc[kRows][kVectors];
  for (int row = 0; row < kRows; row++) {
    for (int j = 0; j < kVectors; j++) acc[row][j] = load(weights + j * kLanes);
  }
  weights += kConvF32Block;
  for (int32_t kh = 0; kh < input.segment_rows; kh++) {
    for (int32_t kw = 0; kw < input.segment_columns; kw++) {
      const ptrdiff_t begin = kh * input.segment_row_step + kw * input.segment_column_step;
      const ptrdiff_t end = begin + input.length;
      for (ptrdiff_t i = begin; i < end; i++, weights += kConvF32Block) {
        VecF w[kVectors];
        for (int j = 0; j < kVectors; j++) w[j] = load(weights + j * kLanes);
        for (int row = 0; row < kRows; row++) {
          const VecF v = splat(x[row][i]);
          for (int j = 0; j < kVectors; j++) acc[row][j] = fused_multiply_add(v, w[j], acc[row][j]);
        }
      }
    }
  }
  const int rest = target.channels - (kVectors - 1) * kLanes;
  float* y = target.y;
  // The loop over all rows is unrolled, so that acc stays in registers.
  for (int row = 0; row < kRows; row++, y += target.stride) {
    if (row >= target.pixels) break;
    for (int j = 0; j < kVectors; j++) {
      const VecF v = clamp_keep_nan(acc[row][j], target.lo, target.hi);
      if (j + 1 < kVectors || rest == kLanes) {
        store(y + j * kLanes, v);
      } else {
        store_first(y + j * kLanes, v, rest);
      }
    }
  }
}

/// Computes as many vectors of the block as have output channels.
template <int kRows, int kVectors>
inline void multiply_block(const Input& input, const float* const (&x)[kRows], const float* weights,
                           const Target& target) {
  if constexpr (kVectors > 1) {
    if (target.channels <= (kVectors - 1) * kLanes) {
      return multiply_block<kRows, kVectors - 1>(input, x, weights, target);
    }
  }
  multiply_strip<kRows, kVectors>(input, x, weights, target);
}

/// Consecutive blocks of one group.
struct Blocks {
  const float* packed;  ///< of the first
  int64_t packed_step;
  int32_t channels;  ///< output channels from the first block to the end of the group
  int32_t count;
};

/// `pixels` output pixels from y on, where target.y points to their first channel.
template <int kRows, int kVectors>
inline void convolve_run(const Input& input, int64_t pixels, const Blocks& blocks, Target target) {
  const float* next = input.first;
  int32_t column = input.column;
  for (; pixels > 0; pixels -= kRows) {
    target.pixels = pixels < kRows ? static_cast<int>(pixels) : kRows;
    const float* x[kRows];
    for (int row = 0; row < kRows; row++) {
      x[row] = next;
      if (row + 1 >= target.pixels && row + 1 < kRows) continue;
      next += input.pixel_step;
      if (++column < input.width) continue;
      column = 0;
      next += input.line_step - input.width * input.pixel_step;
    }
    float* const y = target.y;
    for (int32_t block = 0; block < blocks.count; block++, target.y += kConvF32Block) {
      const int32_t left = blocks.channels - block * kConvF32Block;
      target.channels = left < kConvF32Block ? left : kConvF32Block;
      multiply_block<kRows, kVectors>(input, x, blocks.packed + block * blocks.packed_step, target);
    }
    target.y = y + kRows * target.stride;
  }
}

inline void convolve_run(const Input& input, int64_t pixels, const Blocks& blocks, const Target& target) {
  // One vector per pixel needs more pixels to keep the multipliers busy.
  if (blocks.channels <= kLanes) {
    convolve_run<8, 1>(input, pixels, blocks, target);
  } else {
    convolve_run<6, kConvF32Block / kLanes>(input, pixels, blocks, target);
  }
}

/// Input whose pixels are `pitch` floats apart and whose lines `line` floats, with `step` of them between
/// output pixels.
inline Input describe_input(const ConvF32Shape& shape, ptrdiff_t pitch, ptrdiff_t line, int32_t step_h,
                            int32_t step_w) {
  const WindowShape& w = shape.window;
  const int32_t channels = shape.in_channels / shape.groups;
  const bool joined = w.kernel_w == 1 || (w.dilation_w == 1 && pitch == channels);
  Input input = {};
  input.pixel_step = step_w * pitch;
  input.line_step = step_h * line;
  input.segment_rows = w.kernel_h;
  input.segment_columns = joined ? 1 : w.kernel_w;
  input.length = joined ? w.kernel_w * channels : channels;
  input.segment_row_step = w.dilation_h * line;
  input.segment_column_step = w.dilation_w * pitch;
  return input;
}

/// Whether every window of every output pixel lies inside the input.
inline bool stays_inside(const WindowShape& w) {
  return w.pad_top == 0 && w.pad_left == 0 &&
         static_cast<int64_t>(w.out_h - 1) * w.stride_h +
                 static_cast<int64_t>(w.kernel_h - 1) * w.dilation_h <
             w.in_h &&
         static_cast<int64_t>(w.out_w - 1) * w.stride_w +
                 static_cast<int64_t>(w.kernel_w - 1) * w.dilation_w <
             w.in_w;
}

/// Floats as the bytes that fill_band moves; 0.0f is four zero bytes.
struct FloatBytes {
  void fill(uint8_t* to, int64_t count) const { __builtin_memset(to, 0, static_cast<size_t>(count)); }
  void copy(uint8_t* to, const int8_t* from, int64_t count) const {
    __builtin_memcpy(to, from, static_cast<size_t>(count));
  }
};

/// Calls visit(input of all groups, first pixel, number of pixels) for pieces of the tile, in order.
template <class Visit>
inline void for_each_piece(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile,
                           Visit visit) {
  const WindowShape& w = shape.window;
  const int64_t plane = static_cast<int64_t>(w.out_h) * w.out_w;
  if (stays_inside(w)) {
    Input input = describe_input(shape, args.x_stride, w.in_w * args.x_stride, w.stride_h, w.stride_w);
    input.width = w.out_w;
    for (int64_t pixel = tile.begin; pixel < tile.end;) {
      const int64_t image = pixel / plane, at = pixel % plane;
      const int64_t count = plane - at < tile.end - pixel ? plane - at : tile.end - pixel;
      input.column = static_cast<int32_t>(at % w.out_w);
      input.first = args.x + image * w.in_h * w.in_w * args.x_stride + at / w.out_w * input.line_step +
                    input.column * input.pixel_step;
      visit(input, pixel, count);
      pixel += count;
    }
    return;
  }
  const int32_t pixel_bytes = shape.in_channels * static_cast<int32_t>(sizeof(float));
  for_each_rectangle(w, static_cast<size_t>(pixel_bytes), tile.begin, tile.end, [&](const Rectangle& r) {
    fill_band(w, pixel_bytes, r, reinterpret_cast<const int8_t*>(args.x),
              args.x_stride * static_cast<ptrdiff_t>(sizeof(float)), static_cast<uint8_t*>(args.scratch),
              FloatBytes{});
    const ptrdiff_t line = band_columns(w, r.x_end - r.x_begin) * shape.in_channels;
    Input input = describe_input(shape, shape.in_channels, line, band_step_h(w), band_step_w(w));
    input.first = static_cast<const float*>(args.scratch);
    input.width = r.x_end - r.x_begin;
    visit(input, (r.image * w.out_h + r.y_begin) * w.out_w + r.x_begin,
          static_cast<int64_t>(r.y_end - r.y_begin) * input.width);
  });
}

inline void conv_f32_simd(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile) {
  const int32_t blocks = conv_f32_blocks(shape), out_channels = shape.out_channels / shape.groups;
  const int64_t packed_step = conv_f32_block_floats(shape);
  Target target = {nullptr, args.y_stride, 0, 0, splat(args.lo), splat(args.hi)};
  for_each_piece(shape, args, tile, [&](const Input& all, int64_t pixel, int64_t count) {
    for (int32_t block = tile.block_begin; block < tile.block_end;) {
      const int32_t group = block / blocks, first = block % blocks;
      const int32_t last = blocks - first < tile.block_end - block ? blocks : first + tile.block_end - block;
      Input input = all;
      input.first += static_cast<ptrdiff_t>(group) * (shape.in_channels / shape.groups);
      target.y = args.y + pixel * args.y_stride + static_cast<ptrdiff_t>(group) * out_channels +
                 first * kConvF32Block;
      convolve_run(input, count,
                   {static_cast<const float*>(args.packed) + block * packed_step, packed_step,
                    out_channels - first * kConvF32Block, last - first},
                   target);
      block += last - first;
    }
  });
}

}  // namespace
}  // namespace hone
