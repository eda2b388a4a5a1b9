#pragma once
#include "native/kernels/conv_f32/conv_f32_rows.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// Input of a strip of output pixels: pointers[segment * rows + row] to `length` floats each. A segment is a
/// row of the window where neighbours in w are neighbours in memory, else one position of the window.
struct Segments {
  const float** pointers;
  int32_t count;
  int32_t length;
};

/// Walks the output pixels of a tile and finds their input, in the channels of one group.
class Windows {
 public:
  Windows(const ConvF32Shape& shape, const ConvF32Args& args, int32_t group, int64_t pixel)
      : w_(shape.window),
        x_(args.x + static_cast<ptrdiff_t>(group) * (shape.in_channels / shape.groups)),
        x_stride_(args.x_stride),
        in_channels_(shape.in_channels / shape.groups),
        whole_rows_(shape.groups == 1 &&
                    (w_.kernel_w == 1 || (w_.dilation_w == 1 && args.x_stride == shape.in_channels))),
        zeros_(static_cast<const float*>(args.packed) +
               conv_f32_block_floats(shape) * conv_f32_blocks(shape) * shape.groups),
        pointers_(static_cast<const float**>(args.scratch)),
        copies_(
            reinterpret_cast<float*>(static_cast<uint8_t*>(args.scratch) + conv_f32_pointer_bytes(shape))),
        image_(pixel / w_.out_w / w_.out_h),
        out_y_(static_cast<int32_t>(pixel / w_.out_w % w_.out_h)),
        out_x_(static_cast<int32_t>(pixel % w_.out_w)) {}

  /// Segments of the next `live` pixels, which must exist; the other rows repeat the last pixel.
  Segments next(int rows, int live) {
    const Segments segments = {pointers_, whole_rows_ ? w_.kernel_h : w_.kernel_h * w_.kernel_w,
                               whole_rows_ ? w_.kernel_w * in_channels_ : in_channels_};
    for (int row = 0; row < live; row++) {
      const int32_t in_y = out_y_ * w_.stride_h - w_.pad_top, in_x = out_x_ * w_.stride_w - w_.pad_left;
      if (whole_rows_) {
        locate_rows(in_y, in_x, pointers_ + row, rows, copies_ + row * w_.kernel_h * segments.length);
      } else {
        locate_positions(in_y, in_x, pointers_ + row, rows);
      }
      advance();
    }
    for (int row = live; row < rows; row++) {
      for (int32_t s = 0; s < segments.count; s++) pointers_[s * rows + row] = pointers_[s * rows + live - 1];
    }
    return segments;
  }

 private:
  void locate_rows(int32_t in_y, int32_t in_x, const float** to, int step, float* copy) const {
    const int32_t length = w_.kernel_w * in_channels_;
    const bool inside = in_x >= 0 && in_x + w_.kernel_w <= w_.in_w;
    for (int32_t kh = 0; kh < w_.kernel_h; kh++, to += step, copy += length) {
      const int32_t y = in_y + kh * w_.dilation_h;
      const float* row = x_ + (image_ * w_.in_h + y) * w_.in_w * x_stride_;
      if (y < 0 || y >= w_.in_h) {
        *to = zeros_;
      } else if (inside) {
        *to = row + in_x * x_stride_;
      } else {
        copy_row(row, in_x, copy);
        *to = copy;
      }
    }
  }

  /// A window row that crosses an edge, with zeros outside.
  void copy_row(const float* row, int32_t in_x, float* to) const {
    for (int32_t kw = 0; kw < w_.kernel_w; kw++) {
      const int32_t x = in_x + kw;
      const float* from = x >= 0 && x < w_.in_w ? row + x * x_stride_ : zeros_;
      for (int32_t i = 0; i < in_channels_; i++) *to++ = from[i];
    }
  }

  void locate_positions(int32_t in_y, int32_t in_x, const float** to, int step) const {
    for (int32_t kh = 0; kh < w_.kernel_h; kh++) {
      for (int32_t kw = 0; kw < w_.kernel_w; kw++, to += step) {
        const int32_t y = in_y + kh * w_.dilation_h, x = in_x + kw * w_.dilation_w;
        const bool inside = y >= 0 && y < w_.in_h && x >= 0 && x < w_.in_w;
        *to = inside ? x_ + ((image_ * w_.in_h + y) * w_.in_w + x) * x_stride_ : zeros_;
      }
    }
  }

  void advance() {
    if (++out_x_ < w_.out_w) return;
    out_x_ = 0;
    if (++out_y_ < w_.out_h) return;
    out_y_ = 0;
    image_++;
  }

  const WindowShape w_;
  const float* x_;
  ptrdiff_t x_stride_;
  int32_t in_channels_;
  bool whole_rows_;
  const float* zeros_;
  const float** pointers_;
  float* copies_;
  int64_t image_;
  int32_t out_y_, out_x_;
};

/// Output of one strip and block.
struct Target {
  float* y;  ///< first pixel, first channel of the block
  ptrdiff_t stride;
  int pixels;    ///< of the strip that exist
  int channels;  ///< of the block that exist
  VecF lo, hi;
};

template <int kRows, int kVectors>
inline void multiply_strip(const Segments& segments, const float* weights, const Target& target) {
  VecF acc[kRows][kVectors];
  for (int row = 0; row < kRows; row++) {
    for (int j = 0; j < kVectors; j++) acc[row][j] = load(weights + j * kLanes);
  }
  weights += kConvF32Block;
  const float* const* pointers = segments.pointers;
  for (int32_t s = 0; s < segments.count; s++, pointers += kRows) {
    const float* x[kRows];
    for (int row = 0; row < kRows; row++) x[row] = pointers[row];
    for (int32_t i = 0; i < segments.length; i++, weights += kConvF32Block) {
      VecF w[kVectors];
      for (int j = 0; j < kVectors; j++) w[j] = load(weights + j * kLanes);
      for (int row = 0; row < kRows; row++) {
        const VecF v = splat(x[row][i]);
        for (int j = 0; j < kVectors; j++) acc[row][j] = fused_multiply_add(v, w[j], acc[row][j]);
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
template <int kRows, int kVectors = kConvF32Block / kLanes>
inline void multiply_block(const Segments& segments, const float* weights, const Target& target) {
  if constexpr (kVectors > 1) {
    if (target.channels <= (kVectors - 1) * kLanes) {
      return multiply_block<kRows, kVectors - 1>(segments, weights, target);
    }
  }
  multiply_strip<kRows, kVectors>(segments, weights, target);
}

/// Blocks first..last of one group, for all pixels of the tile.
template <int kRows, int kVectors>
inline void convolve_group(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile,
                           int32_t group, int32_t first, int32_t last) {
  const int32_t out_channels = shape.out_channels / shape.groups;
  const int64_t block_floats = conv_f32_block_floats(shape);
  const float* packed =
      static_cast<const float*>(args.packed) + block_floats * group * conv_f32_blocks(shape);
  Windows windows(shape, args, group, tile.begin);
  Target target = {nullptr, args.y_stride, 0, 0, splat(args.lo), splat(args.hi)};
  for (int64_t pixel = tile.begin; pixel < tile.end; pixel += kRows) {
    target.pixels = tile.end - pixel < kRows ? static_cast<int>(tile.end - pixel) : kRows;
    const Segments segments = windows.next(kRows, target.pixels);
    for (int32_t block = first; block < last; block++) {
      const int32_t channel = block * kConvF32Block, left = out_channels - channel;
      target.channels = left < kConvF32Block ? left : kConvF32Block;
      target.y = args.y + pixel * args.y_stride + static_cast<ptrdiff_t>(group) * out_channels + channel;
      multiply_block<kRows, kVectors>(segments, packed + block * block_floats, target);
    }
  }
}

inline void conv_f32_simd(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile) {
  const int32_t blocks = conv_f32_blocks(shape);
  for (int32_t begin = tile.block_begin; begin < tile.block_end;) {
    const int32_t group = begin / blocks, group_end = (group + 1) * blocks;
    const int32_t end = group_end < tile.block_end ? group_end : tile.block_end;
    const int32_t first = begin - group * blocks, last = end - group * blocks;
    // One vector per pixel needs more pixels to keep the multipliers busy.
    if (shape.out_channels / shape.groups <= kLanes) {
      convolve_group<kConvF32StripPixels, 1>(shape, args, tile, group, first, last);
    } else {
      convolve_group<6, kConvF32Block / kLanes>(shape, args, tile, group, first, last);
    }
    begin = end;
  }
}

}  // namespace
}  // namespace hone
