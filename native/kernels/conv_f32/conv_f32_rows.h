#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/conv_f32/conv_f32.h"

/// What the table and the instruction-set files of conv_f32 share. Symbol = file = table row; packing is the
/// table's.
namespace hone {

void conv_f32_ref(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile);
void conv_f32_avx2(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile);
void conv_f32_neon(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile);

/// Output channels per block of the vector rows. Packed form: for each group, for each block, bias[16] and
/// then weights[k][16], channels past the last one 0.
inline constexpr int32_t kConvF32Block = 16;

/// Pixels that a tile should be a multiple of: the vector rows compute 6 or 8 at a time.
inline constexpr int32_t kConvF32TilePixels = 24;

/// Weights of one output channel.
static inline int64_t conv_f32_depth(const ConvF32Shape& shape) {
  return static_cast<int64_t>(shape.window.kernel_h) * shape.window.kernel_w *
         (shape.in_channels / shape.groups);
}

/// Blocks of one group.
static inline int32_t conv_f32_blocks(const ConvF32Shape& shape) {
  return (shape.out_channels / shape.groups + kConvF32Block - 1) / kConvF32Block;
}

/// Floats from one packed block to the next.
static inline int64_t conv_f32_block_floats(const ConvF32Shape& shape) {
  return kConvF32Block * (conv_f32_depth(shape) + 1);
}

}  // namespace hone
