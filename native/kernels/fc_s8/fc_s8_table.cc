#include <cstring>

#include "native/kernels/fc_s8/fc_s8_rows.h"

namespace hone {
namespace {

bool fits_any(const FcS8Shape&) { return true; }

/// smmla works on pairs of rows; for a single row half of it would be wasted.
[[maybe_unused]] bool fits_pairs(const FcS8Shape& shape) { return shape.rows > 1; }

template <const GemmFormat& kFormat>
size_t packed_bytes(const FcS8Shape& shape) {
  return gemm_blocks(kFormat, shape.outputs) * gemm_block_bytes(kFormat, {1, shape.inputs});
}

template <const GemmFormat& kFormat>
void pack(const FcS8Shape& shape, const FcS8Weights& weights, void* packed) {
  const GemmWeights matrix = {weights.weights,     weights.bias,  weights.multiplier,
                              weights.zero_points, shape.outputs, weights.x_zero_point};
  pack_gemm(kFormat, {1, shape.inputs}, matrix, packed);
}

template <int32_t kElementBytes>
size_t scratch_bytes(const FcS8Shape& shape) {
  return fc_s8_scratch_rows(shape) * fc_s8_scratch_stride(shape, kElementBytes);
}

size_t ref_packed_bytes(const FcS8Shape& shape) {
  return sizeof(int32_t) + static_cast<size_t>(shape.outputs) * (12 + static_cast<size_t>(shape.inputs));
}

void ref_pack(const FcS8Shape& shape, const FcS8Weights& weights, void* packed) {
  const size_t outputs = shape.outputs;
  int32_t* words = static_cast<int32_t*>(packed);
  *words++ = weights.x_zero_point;
  memcpy(words, weights.bias, outputs * sizeof(int32_t));
  memcpy(words + outputs, weights.multiplier, outputs * sizeof(float));
  for (size_t n = 0; n < outputs; n++) {
    words[2 * outputs + n] = weights.zero_points == nullptr ? 0 : weights.zero_points[n];
  }
  memcpy(words + 3 * outputs, weights.weights, outputs * shape.inputs);
}

size_t no_scratch_bytes(const FcS8Shape&) { return 0; }

}  // namespace

const FcS8Row kFcS8Rows[] = {
#if defined(__x86_64__)
    {"fc_s8_avx512vnni",
     kCpuAvx512Vnni,
     fits_any,
     kFcS8Avx512VnniFormat.block,
     {"gemm_16x4_u8", 2},
     packed_bytes<kFcS8Avx512VnniFormat>,
     pack<kFcS8Avx512VnniFormat>,
     scratch_bytes<1>,
     fc_s8_avx512vnni},
    {"fc_s8_avx2",
     kCpuAvx2,
     fits_any,
     kFcS8Avx2Format.block,
     {"gemm_16x2_s16", 1},
     packed_bytes<kFcS8Avx2Format>,
     pack<kFcS8Avx2Format>,
     scratch_bytes<2>,
     fc_s8_avx2},
#elif defined(__aarch64__)
    {"fc_s8_neon_i8mm",
     kCpuNeonI8mm,
     fits_pairs,
     kFcS8NeonI8mmFormat.block,
     {"gemm_16x8_s8", 2},
     packed_bytes<kFcS8NeonI8mmFormat>,
     pack<kFcS8NeonI8mmFormat>,
     scratch_bytes<1>,
     fc_s8_neon_i8mm},
    {"fc_s8_neon_dotprod",
     kCpuNeonDotprod,
     fits_any,
     kFcS8NeonDotprodFormat.block,
     {"gemm_16x4_s8", 2},
     packed_bytes<kFcS8NeonDotprodFormat>,
     pack<kFcS8NeonDotprodFormat>,
     scratch_bytes<1>,
     fc_s8_neon_dotprod},
    {"fc_s8_neon",
     kCpuNeon,
     fits_any,
     kFcS8NeonFormat.block,
     {"gemm_4x16_s8", 2},
     packed_bytes<kFcS8NeonFormat>,
     pack<kFcS8NeonFormat>,
     scratch_bytes<1>,
     fc_s8_neon},
#endif
    {"fc_s8_ref",
     kCpuRef,
     fits_any,
     1,
     {"fc_s8_plain", 1},
     ref_packed_bytes,
     ref_pack,
     no_scratch_bytes,
     fc_s8_ref},
};
const int kFcS8RowCount = sizeof(kFcS8Rows) / sizeof(kFcS8Rows[0]);

}  // namespace hone
