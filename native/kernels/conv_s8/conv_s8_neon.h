#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/kernels/conv_s8/conv_s8_gather.h"
#include "native/kernels/conv_s8/conv_s8_neon_panel.h"
#include "native/kernels/gemm_s8_neon.h"

// The convolution around the matrix tiles of any ARM instruction set (internal linkage, see
// requantize_neon.h).

namespace hone {
namespace {

/// The rows of one tile of output pixels.
struct PixelTile {
  const int8_t** rows;  ///< [taps][Gemm::kRows]
  int64_t first;        ///< output pixel
  int32_t pixels;
  int64_t taps;
  int64_t depth;
  const int32_t* sums;  ///< of the rows, where a zero point of the weights needs them
};

/// Walks output pixels in order, in pieces that lie in one output row.
class WindowCursor {
 public:
  WindowCursor(const ConvS8Shape& shape, const ConvS8Args& args, int32_t group, int64_t pixel)
      : w_(shape.window),
        plane_bytes_(static_cast<ptrdiff_t>(w_.in_h) * w_.in_w * args.x_stride),
        out_x_(static_cast<int32_t>(pixel % w_.out_w)),
        out_y_(static_cast<int32_t>(pixel / w_.out_w % w_.out_h)),
        image_(args.x + pixel / w_.out_w / w_.out_h * plane_bytes_ +
               static_cast<ptrdiff_t>(group) * (shape.in_channels / shape.groups)) {}

  /// A piece: where the window of its first pixel begins.
  struct Piece {
    const int8_t* image;
    int32_t top;
    int32_t left;
    int32_t pixels;
  };

  /// The next pixels of the row, at most `limit`.
  Piece next(int32_t limit) {
    const int32_t rest = w_.out_w - out_x_;
    const int32_t pixels = limit < rest ? limit : rest;
    const Piece piece = {image_, out_y_ * w_.stride_h - w_.pad_top, out_x_ * w_.stride_w - w_.pad_left,
                         pixels};
    out_x_ += pixels;
    if (out_x_ == w_.out_w) {
      out_x_ = 0;
      if (++out_y_ == w_.out_h) {
        out_y_ = 0;
        image_ += plane_bytes_;
      }
    }
    return piece;
  }

 private:
  const WindowShape& w_;
  ptrdiff_t plane_bytes_;
  int32_t out_x_;
  int32_t out_y_;
  const int8_t* image_;
};

/// Points `count` rows, the usual kRows without a loop.
template <int kRows>
inline void point_run(const int8_t** to, const int8_t* from, ptrdiff_t step, int32_t count) {
  if (count == kRows) {
#pragma GCC unroll 8
    for (int p = 0; p < kRows; p++) to[p] = from + p * step;
  } else {
    for (int32_t p = 0; p < count; p++) to[p] = from + p * step;
  }
}

/// Points the rows of `tile` into the input. Where no window of the tile crosses the left or right border and
/// neighbours in w are neighbours in memory, a kernel row is one run; else every position is. `padding`
/// stands for a whole run.
template <class Gemm>
void point_rows(const ConvS8Shape& shape, const ConvS8Args& args, const int8_t* padding, WindowCursor& cursor,
                PixelTile& tile) {
  const WindowShape& w = shape.window;
  const int32_t channels = shape.in_channels / shape.groups;
  const bool dense =
      shape.groups == 1 && (w.kernel_w == 1 || (w.dilation_w == 1 && args.x_stride == channels));
  const int32_t reach = (w.kernel_w - 1) * w.dilation_w;
  WindowCursor::Piece pieces[Gemm::kRows];
  int32_t piece_count = 0;
  bool inside = true;
  for (int32_t m = 0; m < tile.pixels; m += pieces[piece_count++].pixels) {
    pieces[piece_count] = cursor.next(tile.pixels - m);
    const WindowCursor::Piece& piece = pieces[piece_count];
    inside = inside && piece.left >= 0 && piece.left + (piece.pixels - 1) * w.stride_w + reach < w.in_w;
  }
  const int32_t runs = dense && inside ? 1 : w.kernel_w;
  tile.taps = static_cast<int64_t>(w.kernel_h) * runs;
  tile.depth = static_cast<int64_t>(w.kernel_w / runs) * channels;

  const ptrdiff_t row_bytes = static_cast<ptrdiff_t>(w.in_w) * args.x_stride;
  const ptrdiff_t pixel_bytes = w.stride_w * args.x_stride;
  int32_t m = 0;
  for (int32_t i = 0; i < piece_count; m += pieces[i++].pixels) {
    const WindowCursor::Piece& piece = pieces[i];
    const int8_t** to = tile.rows + m;
    int32_t in_y = piece.top;
    for (int32_t kh = 0; kh < w.kernel_h; kh++, in_y += w.dilation_h) {
      const bool row_inside = in_y >= 0 && in_y < w.in_h;
      int32_t in_x = piece.left;
      for (int32_t run = 0; run < runs; run++, in_x += w.dilation_w, to += Gemm::kRows) {
        const ptrdiff_t offset = in_y * row_bytes + in_x * args.x_stride;
        if (row_inside && inside) {
          point_run<Gemm::kRows>(to, piece.image + offset, pixel_bytes, piece.pixels);
        } else {
          for (int32_t p = 0; p < piece.pixels; p++) {
            const int32_t x = in_x + p * w.stride_w;
            to[p] = row_inside && x >= 0 && x < w.in_w ? piece.image + offset + p * pixel_bytes : padding;
          }
        }
      }
    }
  }
}

/// Rounds the tile up to an instance that exists: repeated rows are computed and dropped.
template <class Gemm>
int32_t repeat_last_row(const PixelTile& tile) {
  const int32_t count = (tile.pixels + Gemm::kRowStep - 1) / Gemm::kRowStep * Gemm::kRowStep;
  for (int64_t t = 0; t < tile.taps; t++) {
    const int8_t** rows = tile.rows + t * Gemm::kRows;
    for (int32_t m = tile.pixels; m < count; m++) rows[m] = rows[tile.pixels - 1];
  }
  return count;
}

inline void copy_channels(int8_t* to, const int8_t* from, int32_t count) {
  if (count == 16) {
    std::memcpy(to, from, 16);
  } else {
    std::memcpy(to, from, static_cast<size_t>(count));
  }
}

/// Adds the residual, if any, to `staged` ([pixels][width] of the convolution's own int8, in a buffer of
/// whole 16 bytes), then writes the channels that exist.
void finish_staged(const ConvS8Args& args, int8_t* staged, int32_t width, int64_t first, int32_t pixels,
                   int32_t channel, int32_t channels) {
  int8_t* y = args.y + first * args.y_stride + channel;
  if (args.residual != nullptr) {
    constexpr int32_t kMaxBytes = 96;
    int8_t other[kMaxBytes] = {};
    const int8_t* residual = args.residual + first * args.residual_stride + channel;
    for (int32_t m = 0; m < pixels; m++) {
      copy_channels(other + m * width, residual + m * args.residual_stride, channels);
    }
    const NeonAdd add = load_add(args.add);
    const NeonRange range = load_range(args.add_range);
    for (int32_t i = 0; i < pixels * width; i += 16) {
      vst1q_s8(staged + i, add16(vld1q_s8(staged + i), vld1q_s8(other + i), add, range));
    }
  }
  for (int32_t m = 0; m < pixels; m++) copy_channels(y + m * args.y_stride, staged + m * width, channels);
}

/// One block of output channels for the tiles of a panel. `channel` is its first output channel, `channels`
/// their number.
template <class Gemm>
void run_panel(const ConvS8Args& args, const uint8_t* block, const PixelTile* tiles, int32_t count,
               int32_t channel, int32_t channels, const NeonRange& range) {
  const int32_t width = Gemm::kVectors == 4 && channels <= 8 ? 8 : Gemm::kChannels;
  for (int32_t i = 0; i < count; i++) {
    const PixelTile& tile = tiles[i];
    const int32_t rows = (tile.pixels + Gemm::kRowStep - 1) / Gemm::kRowStep * Gemm::kRowStep;
    const uint32_t traits = *PackedBlock<Gemm>(block).traits;
    const bool whole = channels == width && rows == tile.pixels && args.residual == nullptr;
    int8_t staged[(Gemm::kRows * Gemm::kChannels + 15) / 16 * 16];
    int8_t* y = whole ? args.y + tile.first * args.y_stride + channel : staged;
    find_tile<Gemm>(traits, rows, channels, tile.depth)(
        {tile.rows, tile.taps, tile.depth, block, 0, y, whole ? args.y_stride : width,
         (traits & kPackedShifted) != 0 ? tile.sums : nullptr},
        range);
    if (!whole) finish_staged(args, staged, width, tile.first, tile.pixels, channel, channels);
  }
}

/// The run function of a NEON row.
template <class Gemm>
void run_conv(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile, const GemmFormat& format) {
  constexpr int32_t kMaxTiles = 8;
  const ConvS8NeonPanel panel = conv_s8_neon_panel(shape, format, Gemm::kRows);
  const int32_t out_channels = shape.out_channels / shape.groups;
  const int32_t group_blocks = gemm_blocks(format, out_channels);
  const size_t block_bytes = gemm_block_bytes(format, conv_s8_gathered_depth(shape));
  const size_t length = conv_s8_gather_length(shape);
  const int8_t** pointers = static_cast<const int8_t**>(args.scratch);
  int8_t* rest = static_cast<int8_t*>(args.scratch) + panel.pointer_bytes;
  if (!panel.gathered) std::memset(rest, args.x_zero_point, panel.scratch_bytes - panel.pointer_bytes);
  const NeonRange range = load_range(args.conv_range);

  for (int32_t block_begin = tile.block_begin; block_begin < tile.block_end;) {
    const int32_t group = block_begin / group_blocks;
    const int32_t group_end = (group + 1) * group_blocks;
    const int32_t block_end = tile.block_end < group_end ? tile.block_end : group_end;
    const uint8_t* blocks = static_cast<const uint8_t*>(args.packed);
    const bool shifted =
        (join_traits<Gemm>(blocks + block_begin * block_bytes, block_bytes, block_end - block_begin) &
         kPackedShifted) != 0;
    WindowCursor cursor(shape, args, group, tile.begin);
    for (int64_t first = tile.begin; first < tile.end; first += panel.pixels) {
      const int64_t left = tile.end - first;
      const int32_t pixels = left < panel.pixels ? static_cast<int32_t>(left) : panel.pixels;
      if (panel.gathered) conv_s8_gather(shape, args, group, first, pixels, length, rest);
      PixelTile tiles[kMaxTiles];
      int32_t sums[kMaxTiles][Gemm::kRows];
      int32_t count = 0;
      for (int32_t p = 0; p < pixels; p += Gemm::kRows, count++) {
        PixelTile& t = tiles[count];
        t.rows = pointers + static_cast<ptrdiff_t>(p) * panel.taps;
        t.first = first + p;
        t.pixels = pixels - p < Gemm::kRows ? pixels - p : Gemm::kRows;
        if (panel.gathered) {
          t.taps = 1;
          t.depth = gemm_run_groups(format, static_cast<int32_t>(conv_s8_depth(shape))) * format.k_group;
          for (int32_t m = 0; m < t.pixels; m++) t.rows[m] = rest + static_cast<ptrdiff_t>(p + m) * length;
        } else {
          point_rows<Gemm>(shape, args, rest, cursor, t);
        }
        const int32_t rows = repeat_last_row<Gemm>(t);
        t.sums = sums[count];
        if (shifted) sum_rows<Gemm>(t.rows, t.taps, t.depth, rows, sums[count]);
      }
      for (int32_t block = block_begin; block < block_end; block++) {
        const int32_t inner = (block - group * group_blocks) * format.block;
        const int32_t channels = out_channels - inner < format.block ? out_channels - inner : format.block;
        run_panel<Gemm>(args, blocks + block * block_bytes, tiles, count, group * out_channels + inner,
                        channels, range);
      }
    }
    block_begin = block_end;
  }
}

}  // namespace
}  // namespace hone
