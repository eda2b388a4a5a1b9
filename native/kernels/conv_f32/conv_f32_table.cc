#include <cstring>

#include "native/kernels/conv_f32/conv_f32_rows.h"
#include "native/kernels/gemm_pack.h"
#include "native/kernels/window_band.h"

namespace hone {
namespace {

[[maybe_unused]] size_t block_packed_bytes(const ConvF32Shape& shape) {
  return sizeof(float) * static_cast<size_t>(conv_f32_block_floats(shape)) * conv_f32_blocks(shape) *
         shape.groups;
}

[[maybe_unused]] void block_pack(const ConvF32Shape& shape, const ConvF32Weights& weights, void* packed) {
  const int32_t out_channels = shape.out_channels / shape.groups;
  const int64_t depth = conv_f32_depth(shape);
  memset(packed, 0, block_packed_bytes(shape));
  float* to = static_cast<float*>(packed);
  for (int32_t group = 0; group < shape.groups; group++) {
    for (int32_t first = 0; first < out_channels;
         first += kConvF32Block, to += conv_f32_block_floats(shape)) {
      const int64_t o = static_cast<int64_t>(group) * out_channels + first;
      const int32_t count = out_channels - first < kConvF32Block ? out_channels - first : kConvF32Block;
      memcpy(to, weights.bias + o, sizeof(float) * count);
      interleave_floats(weights.weights + o * depth, depth, count, to + kConvF32Block, kConvF32Block);
    }
  }
}

[[maybe_unused]] size_t band_scratch_bytes(const ConvF32Shape& shape) {
  return band_bytes(shape.window, shape.in_channels, sizeof(float));
}

size_t ref_packed_bytes(const ConvF32Shape& shape) {
  return sizeof(float) * static_cast<size_t>(shape.out_channels) * (1 + conv_f32_depth(shape));
}

/// Bias, then the weights as they are.
void ref_pack(const ConvF32Shape& shape, const ConvF32Weights& weights, void* packed) {
  float* to = static_cast<float*>(packed);
  memcpy(to, weights.bias, sizeof(float) * shape.out_channels);
  memcpy(to + shape.out_channels, weights.weights,
         sizeof(float) * shape.out_channels * conv_f32_depth(shape));
}

size_t no_scratch_bytes(const ConvF32Shape&) { return 0; }

}  // namespace

const ConvF32Row kConvF32Rows[] = {
#if defined(__x86_64__)
    {"conv_f32_avx2",
     kCpuAvx2 | kCpuFma,
     kConvF32Block,
     kConvF32TilePixels,
     {"gemm_16_f32", 1},
     block_packed_bytes,
     block_pack,
     band_scratch_bytes,
     conv_f32_avx2},
#elif defined(__aarch64__)
    {"conv_f32_neon",
     kCpuNeon,
     kConvF32Block,
     kConvF32TilePixels,
     {"gemm_16_f32", 1},
     block_packed_bytes,
     block_pack,
     band_scratch_bytes,
     conv_f32_neon},
#endif
    {"conv_f32_ref",
     kCpuRef,
     1,
     1,
     {"conv_f32_plain", 1},
     ref_packed_bytes,
     ref_pack,
     no_scratch_bytes,
     conv_f32_ref},
};
const int kConvF32RowCount = sizeof(kConvF32Rows) / sizeof(kConvF32Rows[0]);

}  // namespace hone
