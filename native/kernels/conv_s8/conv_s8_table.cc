#include <cstring>

#include "native/kernels/conv_s8/conv_s8_neon_panel.h"
#include "native/kernels/conv_s8/conv_s8_rows.h"
#include "native/kernels/window_band.h"

namespace hone {
namespace {

using DepthOf = GemmDepth (*)(const ConvS8Shape&);

bool fits_any(const ConvS8Shape&) { return true; }

template <const GemmFormat& kFormat, DepthOf kDepth>
size_t packed_bytes(const ConvS8Shape& shape) {
  return static_cast<size_t>(shape.groups) * gemm_blocks(kFormat, shape.out_channels / shape.groups) *
         gemm_block_bytes(kFormat, kDepth(shape));
}

template <const GemmFormat& kFormat, DepthOf kDepth>
void pack(const ConvS8Shape& shape, const ConvS8Weights& weights, void* packed) {
  const int32_t channels = shape.out_channels / shape.groups;
  const size_t group_bytes = packed_bytes<kFormat, kDepth>(shape) / shape.groups;
  for (int32_t group = 0; group < shape.groups; group++) {
    const int32_t first = group * channels;
    const GemmWeights matrix = {weights.weights + first * conv_s8_depth(shape),
                                weights.bias + first,
                                weights.multiplier + first,
                                weights.zero_points == nullptr ? nullptr : weights.zero_points + first,
                                channels,
                                weights.x_zero_point};
    pack_gemm(kFormat, kDepth(shape), matrix, static_cast<uint8_t*>(packed) + group * group_bytes);
  }
}

[[maybe_unused]] void pack_avx512vnni(const ConvS8Shape& shape, const ConvS8Weights& weights, void* packed) {
  pack<kConvS8Avx512VnniFormat, conv_s8_direct_depth>(shape, weights, packed);
  if (!conv_s8_doubles_channels(shape)) return;
  // Bias, multipliers and weights alike are vectors of 16 channels by 4 bytes.
  const size_t bytes = packed_bytes<kConvS8Avx512VnniFormat, conv_s8_direct_depth>(shape);
  uint8_t* block = static_cast<uint8_t*>(packed);
  for (size_t i = 0; i + 64 <= bytes; i += 64) memcpy(block + i + 32, block + i, 32);
}

template <int32_t kElementBytes>
size_t band_scratch_bytes(const ConvS8Shape& shape) {
  return band_bytes(shape.window, shape.in_channels, kElementBytes);
}

template <const GemmFormat& kFormat, int32_t kPixels>
size_t panel_scratch_bytes(const ConvS8Shape& shape) {
  return conv_s8_neon_panel(shape, kFormat, kPixels).scratch_bytes;
}

size_t ref_packed_bytes(const ConvS8Shape& shape) {
  return static_cast<size_t>(shape.out_channels) * (12 + conv_s8_depth(shape));
}

/// bias, multiplier, zero points as int32, weights: all as given.
void ref_pack(const ConvS8Shape& shape, const ConvS8Weights& weights, void* packed) {
  const size_t channels = shape.out_channels;
  int32_t* words = static_cast<int32_t*>(packed);
  memcpy(words, weights.bias, channels * sizeof(int32_t));
  memcpy(words + channels, weights.multiplier, channels * sizeof(float));
  for (size_t o = 0; o < channels; o++) {
    words[2 * channels + o] = weights.zero_points == nullptr ? 0 : weights.zero_points[o];
  }
  memcpy(words + 3 * channels, weights.weights, channels * conv_s8_depth(shape));
}

size_t no_scratch_bytes(const ConvS8Shape&) { return 0; }

}  // namespace

const ConvS8Row kConvS8Rows[] = {
#if defined(__x86_64__)
    {"conv_s8_avx512vnni",
     kCpuAvx512Vnni,
     fits_any,
     kConvS8Avx512VnniFormat.block,
     12,
     {"gemm_16x4_u8_paired", 2},
     packed_bytes<kConvS8Avx512VnniFormat, conv_s8_direct_depth>,
     pack_avx512vnni,
     band_scratch_bytes<1>,
     conv_s8_avx512vnni},
    {"conv_s8_avx2",
     kCpuAvx2,
     fits_any,
     kConvS8Avx2Format.block,
     4,
     {"gemm_16x2_s16", 1},
     packed_bytes<kConvS8Avx2Format, conv_s8_direct_depth>,
     pack<kConvS8Avx2Format, conv_s8_direct_depth>,
     band_scratch_bytes<2>,
     conv_s8_avx2},
#elif defined(__aarch64__)
    {"conv_s8_neon_i8mm",
     kCpuNeonI8mm,
     fits_any,
     kConvS8NeonI8mmFormat.block,
     kConvS8NeonI8mmPixels,
     {"gemm_16x8_s8", 2},
     packed_bytes<kConvS8NeonI8mmFormat, conv_s8_gathered_depth>,
     pack<kConvS8NeonI8mmFormat, conv_s8_gathered_depth>,
     panel_scratch_bytes<kConvS8NeonI8mmFormat, kConvS8NeonI8mmPixels>,
     conv_s8_neon_i8mm},
    {"conv_s8_neon_dotprod",
     kCpuNeonDotprod,
     fits_any,
     kConvS8NeonDotprodFormat.block,
     kConvS8NeonDotprodPixels,
     {"gemm_16x4_s8", 2},
     packed_bytes<kConvS8NeonDotprodFormat, conv_s8_gathered_depth>,
     pack<kConvS8NeonDotprodFormat, conv_s8_gathered_depth>,
     panel_scratch_bytes<kConvS8NeonDotprodFormat, kConvS8NeonDotprodPixels>,
     conv_s8_neon_dotprod},
    {"conv_s8_neon",
     kCpuNeon,
     fits_any,
     kConvS8NeonFormat.block,
     kConvS8NeonPixels,
     {"gemm_4x16_s8", 2},
     packed_bytes<kConvS8NeonFormat, conv_s8_gathered_depth>,
     pack<kConvS8NeonFormat, conv_s8_gathered_depth>,
     panel_scratch_bytes<kConvS8NeonFormat, kConvS8NeonPixels>,
     conv_s8_neon},
#endif
    {"conv_s8_ref",
     kCpuRef,
     fits_any,
     1,
     1,
     {"conv_s8_plain", 1},
     ref_packed_bytes,
     ref_pack,
     no_scratch_bytes,
     conv_s8_ref},
};
const int kConvS8RowCount = sizeof(kConvS8Rows) / sizeof(kConvS8Rows[0]);

}  // namespace hone
