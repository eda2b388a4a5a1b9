#include <cstring>

#include "native/kernels/fc_coded_f32/fc_coded_f32_rows.h"

namespace hone {
namespace {

/// Scales that change inside a step are for others. So are 256 entries: gathering them takes longer than
/// reading floats (docs/kernels.md).
[[maybe_unused]] bool fits_steps(const FcCodedF32Shape& shape) {
  if (shape.group == 0) return shape.bits == 4;
  return shape.group % kCodedStep == 0 || shape.group == shape.inputs;
}
bool fits_any(const FcCodedF32Shape&) { return true; }

[[maybe_unused]] size_t panel_packed_bytes(const FcCodedF32Shape& shape) {
  const CodedPanels layout = coded_panels(shape);
  const size_t panels = (static_cast<size_t>(shape.outputs) + kPanelColumns - 1) / kPanelColumns;
  return layout.table_bytes + panels * layout.panel_bytes;
}

[[maybe_unused]] void pack_table(const WeightCodes& codes, uint8_t* to) {
  const uint8_t* entries = static_cast<const uint8_t*>(codes.table);
  for (int i = 0; i < 16; i++)
    for (int plane = 0; plane < 4; plane++) to[plane * 16 + i] = entries[i * 4 + plane];
}

/// Outputs that are not there have scales, codes and bias of 0.
[[maybe_unused]] void panel_pack(const FcCodedF32Shape& shape, const FcCodedF32Weights& weights,
                                 void* packed) {
  const CodedPanels layout = coded_panels(shape);
  const WeightCodes& codes = weights.codes;
  uint8_t* to = static_cast<uint8_t*>(packed);
  memset(to, 0, panel_packed_bytes(shape));
  if (shape.group == 0) pack_table(codes, to);
  to += layout.table_bytes;
  const float* scales = static_cast<const float*>(codes.table);
  const bool halves = shape.bits == 4;
  // Codes of 4 bits with a scale are signed; what is packed is not.
  const uint8_t flip = halves && shape.group != 0 ? 8 : 0;
  for (int32_t n = 0; n < shape.outputs; n++) {
    uint8_t* panel = to + n / kPanelColumns * layout.panel_bytes;
    const int32_t column = n % kPanelColumns;
    float* head = reinterpret_cast<float*>(panel) + column;
    head[0] = weights.bias[n];
    for (int64_t group = 0; group < layout.groups; group++) {
      const int64_t at = n * layout.groups + group;
      head[(1 + 2 * group) * kPanelColumns] = scales[at];
      const int32_t zero_point = codes.zero_points == nullptr ? 0 : codes.zero_points[at];
      head[(2 + 2 * group) * kPanelColumns] = static_cast<float>(zero_point + flip);
    }
    const uint8_t* from = codes.codes + n * code_row_bytes(shape.bits, shape.inputs);
    uint8_t* places = panel + sizeof(float) * kPanelColumns * (1 + 2 * layout.groups) + column;
    for (int64_t k = 0; k < shape.inputs; k++) {
      const uint32_t code = unsigned_code(from, shape.bits, k) ^ flip;
      if (halves) {
        places[k / 2 * kPanelColumns] |= static_cast<uint8_t>(code << (k % 2 * 4));
      } else {
        places[k * kPanelColumns] = static_cast<uint8_t>(code);
      }
    }
  }
}

[[maybe_unused]] size_t step_scratch_bytes(const FcCodedF32Shape&) {
  return sizeof(float) * kCodedStep * kPanelBlock;
}

size_t ref_packed_bytes(const FcCodedF32Shape& shape) {
  return sizeof(float) * shape.outputs * (static_cast<size_t>(shape.inputs) + 1);
}

/// Bias, then the decoded weights.
void ref_pack(const FcCodedF32Shape& shape, const FcCodedF32Weights& weights, void* packed) {
  float* to = static_cast<float*>(packed);
  memcpy(to, weights.bias, sizeof(float) * shape.outputs);
  to += shape.outputs;
  for (int64_t n = 0; n < shape.outputs; n++)
    decode_row(weights.codes, n, 0, shape.inputs, to + n * shape.inputs);
}

size_t no_scratch_bytes(const FcCodedF32Shape&) { return 0; }

}  // namespace

const FcCodedF32Row kFcCodedF32Rows[] = {
#if defined(__x86_64__)
    {"fc_coded_f32_avx2",
     kCpuAvx2 | kCpuFma,
     fits_steps,
     kPanelBlock,
     {"fc_coded_16_f32", 1},
     panel_packed_bytes,
     panel_pack,
     step_scratch_bytes,
     fc_coded_f32_avx2},
#elif defined(__aarch64__)
    {"fc_coded_f32_neon",
     kCpuNeon,
     fits_steps,
     kPanelBlock,
     {"fc_coded_16_f32", 1},
     panel_packed_bytes,
     panel_pack,
     step_scratch_bytes,
     fc_coded_f32_neon},
#endif
    {"fc_coded_f32_ref",
     kCpuRef,
     fits_any,
     1,
     {"fc_f32_plain", 1},
     ref_packed_bytes,
     ref_pack,
     no_scratch_bytes,
     fc_coded_f32_ref},
};
const int kFcCodedF32RowCount = sizeof(kFcCodedF32Rows) / sizeof(kFcCodedF32Rows[0]);

}  // namespace hone
