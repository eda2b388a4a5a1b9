#include <cstring>

#include "native/kernels/fc_f32/fc_f32_rows.h"
#include "native/kernels/gemm_pack.h"

namespace hone {
namespace {

/// All blocks but the last are full, so the padded number of outputs is that of one long block.
[[maybe_unused]] size_t block_packed_bytes(const FcF32Shape& shape) {
  return sizeof(float) * fc_f32_padded_outputs(shape, 0, INT32_MAX) * (static_cast<size_t>(shape.inputs) + 1);
}

template <int32_t kBlock>
[[maybe_unused]] void block_pack(const FcF32Shape& shape, const FcF32Weights& weights, void* packed) {
  memset(packed, 0, block_packed_bytes(shape));
  float* to = static_cast<float*>(packed);
  for (int32_t first = 0; first < shape.outputs; first += kBlock) {
    const int64_t stride = fc_f32_padded_outputs(shape, first, kBlock);
    const int32_t count = shape.outputs - first < kBlock ? shape.outputs - first : kBlock;
    memcpy(to, weights.bias + first, sizeof(float) * count);
    interleave_floats(weights.weights + static_cast<int64_t>(first) * shape.inputs, shape.inputs, count,
                      to + stride, stride);
    to += stride * (shape.inputs + 1);
  }
}

size_t ref_packed_bytes(const FcF32Shape& shape) {
  return sizeof(float) * shape.outputs * (static_cast<size_t>(shape.inputs) + 1);
}

/// Bias, then the weights as they are.
void ref_pack(const FcF32Shape& shape, const FcF32Weights& weights, void* packed) {
  float* to = static_cast<float*>(packed);
  memcpy(to, weights.bias, sizeof(float) * shape.outputs);
  memcpy(to + shape.outputs, weights.weights,
         sizeof(float) * shape.outputs * static_cast<size_t>(shape.inputs));
}

size_t no_scratch_bytes(const FcF32Shape&) { return 0; }

}  // namespace

const FcF32Row kFcF32Rows[] = {
#if defined(__x86_64__)
    {"fc_f32_avx2",
     kCpuAvx2 | kCpuFma,
     kFcF32Avx2Block,
     {"fc_64_f32", 2},
     block_packed_bytes,
     block_pack<kFcF32Avx2Block>,
     no_scratch_bytes,
     fc_f32_avx2},
#elif defined(__aarch64__)
    {"fc_f32_neon",
     kCpuNeon,
     kFcF32NeonBlock,
     {"fc_32_f32", 2},
     block_packed_bytes,
     block_pack<kFcF32NeonBlock>,
     no_scratch_bytes,
     fc_f32_neon},
#endif
    {"fc_f32_ref", kCpuRef, 1, {"fc_f32_plain", 1}, ref_packed_bytes, ref_pack, no_scratch_bytes, fc_f32_ref},
};
const int kFcF32RowCount = sizeof(kFcF32Rows) / sizeof(kFcF32Rows[0]);

}  // namespace hone
