#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/conv_s8/conv_s8.h"
#include "native/kernels/gemm_pack.h"

/// What the table and the instruction-set files of conv_s8 share. Symbol = file = table row: each file
/// defines one function of that name; the table owns the rest of the row. Packing is plain code, so a build
/// can pack for any row.
namespace hone {

void conv_s8_ref(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);
void conv_s8_avx2(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);
void conv_s8_avx512vnni(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);
void conv_s8_neon(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);
void conv_s8_neon_dotprod(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);
void conv_s8_neon_i8mm(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);

inline constexpr GemmFormat kConvS8Avx2Format = {16, 2, 2, 0};
inline constexpr GemmFormat kConvS8Avx512VnniFormat = {16, 4, 1, 128};
inline constexpr GemmFormat kConvS8NeonFormat = {4, 16, 1, 0};
inline constexpr GemmFormat kConvS8NeonDotprodFormat = {16, 4, 1, 0};
inline constexpr GemmFormat kConvS8NeonI8mmFormat = {16, 8, 1, 0};

/// Pixels of one tile of the NEON rows.
inline constexpr int32_t kConvS8NeonPixels = 5;
inline constexpr int32_t kConvS8NeonDotprodPixels = 6;
inline constexpr int32_t kConvS8NeonI8mmPixels = 6;

/// Weights of one output channel.
static inline int64_t conv_s8_depth(const ConvS8Shape& shape) {
  return static_cast<int64_t>(shape.window.kernel_h) * shape.window.kernel_w *
         (shape.in_channels / shape.groups);
}

/// Runs of a row that gathers: the whole window is one.
static inline GemmDepth conv_s8_gathered_depth(const ConvS8Shape& shape) {
  return {1, static_cast<int32_t>(conv_s8_depth(shape))};
}

/// Runs of a row that reads the window in place: kernel rows where neighbours in w are neighbours in memory,
/// else positions.
static inline GemmDepth conv_s8_direct_depth(const ConvS8Shape& shape) {
  const WindowShape& w = shape.window;
  const int32_t channels = shape.in_channels / shape.groups;
  if (shape.groups == 1 && (w.dilation_w == 1 || w.kernel_w == 1)) return {w.kernel_h, w.kernel_w * channels};
  return {w.kernel_h * w.kernel_w, channels};
}

/// Whether the AVX-512 row takes two pixels per vector: the few channels of a block are there twice, 8 lanes
/// apart.
static inline bool conv_s8_doubles_channels(const ConvS8Shape& shape) {
  return shape.out_channels / shape.groups <= kConvS8Avx512VnniFormat.block / 2;
}

/// Bytes of one gathered row: the window, padded to a multiple of 16.
static inline size_t conv_s8_gather_length(const ConvS8Shape& shape) {
  return (static_cast<size_t>(conv_s8_depth(shape)) + 15) / 16 * 16;
}

}  // namespace hone
