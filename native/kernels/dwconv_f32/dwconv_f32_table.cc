#include <cstring>

#include "native/kernels/dwconv_f32/dwconv_f32_rows.h"

namespace hone {
namespace {

size_t packed_bytes(const DwconvF32Shape& shape) {
  return sizeof(float) * shape.channels *
         (static_cast<size_t>(shape.window.kernel_h) * shape.window.kernel_w + 2);
}

void pack(const DwconvF32Shape& shape, const DwconvF32Weights& weights, void* packed) {
  const size_t channels = shape.channels;
  const size_t count = channels * shape.window.kernel_h * shape.window.kernel_w;
  float* to = static_cast<float*>(packed);
  memcpy(to, weights.bias, sizeof(float) * channels);
  memcpy(to + channels, weights.weights, sizeof(float) * count);
  memset(to + channels + count, 0, sizeof(float) * channels);
}

/// Pointers to the taps of two pixels, or to the nine columns of a strip of 3-wide windows.
[[maybe_unused]] size_t pointer_scratch_bytes(const DwconvF32Shape& shape) {
  return 3 * sizeof(const float*) * shape.window.kernel_h * shape.window.kernel_w;
}

size_t no_scratch_bytes(const DwconvF32Shape&) { return 0; }

}  // namespace

const DwconvF32Row kDwconvF32Rows[] = {
#if defined(__x86_64__)
    {"dwconv_f32_avx2",
     kCpuAvx2 | kCpuFma,
     {"dwconv_f32_plain", 1},
     packed_bytes,
     pack,
     pointer_scratch_bytes,
     dwconv_f32_avx2},
#elif defined(__aarch64__)
    {"dwconv_f32_neon",
     kCpuNeon,
     {"dwconv_f32_plain", 1},
     packed_bytes,
     pack,
     pointer_scratch_bytes,
     dwconv_f32_neon},
#endif
    {"dwconv_f32_ref",
     kCpuRef,
     {"dwconv_f32_plain", 1},
     packed_bytes,
     pack,
     no_scratch_bytes,
     dwconv_f32_ref},
};
const int kDwconvF32RowCount = sizeof(kDwconvF32Rows) / sizeof(kDwconvF32Rows[0]);

}  // namespace hone
