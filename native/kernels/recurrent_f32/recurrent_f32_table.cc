#include <cstring>
#include <initializer_list>

#include "native/kernels/gemm_pack.h"
#include "native/kernels/recurrent_f32/recurrent_f32_rows.h"

namespace hone {
namespace {

[[maybe_unused]] size_t panel_packed_bytes(const RecurrentF32Shape& shape) {
  return sizeof(float) * shape.directions * recurrent_panels(shape) * kPanelColumns *
         static_cast<size_t>(shape.hidden);
}

[[maybe_unused]] void panel_pack(const RecurrentF32Shape& shape, const RecurrentF32Weights& weights,
                                 void* packed) {
  memset(packed, 0, panel_packed_bytes(shape));
  float* to = static_cast<float*>(packed);
  const float* from = weights.weights;
  const int32_t first = recurrent_first_columns(shape);
  for (int32_t direction = 0; direction < shape.directions; direction++) {
    for (const int32_t columns : {first, recurrent_columns(shape) - first}) {
      for (int32_t c = 0; c < columns; c += kPanelColumns) {
        const int32_t count = columns - c < kPanelColumns ? columns - c : kPanelColumns;
        interleave_floats(from, shape.hidden, count, to, kPanelColumns);
        from += static_cast<size_t>(count) * shape.hidden;
        to += static_cast<size_t>(kPanelColumns) * shape.hidden;
      }
    }
  }
}

size_t ref_packed_bytes(const RecurrentF32Shape& shape) {
  return sizeof(float) * shape.directions * recurrent_columns(shape) * static_cast<size_t>(shape.hidden);
}

/// The weights as they are.
void ref_pack(const RecurrentF32Shape& shape, const RecurrentF32Weights& weights, void* packed) {
  memcpy(packed, weights.weights, ref_packed_bytes(shape));
}

size_t scratch_bytes(const RecurrentF32Shape& shape) {
  return sizeof(float) * recurrent_scratch_floats(shape);
}

}  // namespace

const RecurrentF32Row kRecurrentF32Rows[] = {
#if defined(__x86_64__)
    {"recurrent_f32_avx2",
     kCpuAvx2 | kCpuFma,
     {"recurrent_16_f32", 1},
     panel_packed_bytes,
     panel_pack,
     scratch_bytes,
     recurrent_f32_avx2},
#elif defined(__aarch64__)
    {"recurrent_f32_neon",
     kCpuNeon,
     {"recurrent_16_f32", 1},
     panel_packed_bytes,
     panel_pack,
     scratch_bytes,
     recurrent_f32_neon},
#endif
    {"recurrent_f32_ref",
     kCpuRef,
     {"recurrent_plain", 1},
     ref_packed_bytes,
     ref_pack,
     scratch_bytes,
     recurrent_f32_ref},
};
const int kRecurrentF32RowCount = sizeof(kRecurrentF32Rows) / sizeof(kRecurrentF32Rows[0]);

}  // namespace hone
