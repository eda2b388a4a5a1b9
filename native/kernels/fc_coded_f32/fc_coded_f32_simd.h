#pragma once
#include "native/kernels/fc_coded_f32/fc_coded_f32_rows.h"
#include "native/kernels/panels_f32.h"

namespace hone {
namespace {

/// What codes of one panel stand for, over one step.
struct PanelCodes {
  const uint8_t* codes;
  Bytes16 planes[4];  ///< of a codebook: bytes of its entries, the lowest first
  F32x16 scale, zero;
};

inline F32x16 scaled_elements(const PanelCodes& panel, Bytes16 codes) {
  F32x16 x = to_float(codes, splat_zero_point(0));
  for (int i = 0; i < kParts; i++) x.v[i] = multiply(subtract(x.v[i], panel.zero.v[i]), panel.scale.v[i]);
  return x;
}
inline F32x16 table_elements(const PanelCodes& panel, Bytes16 codes) {
  return join_bytes(look_up(panel.planes[0], codes), look_up(panel.planes[1], codes),
                    look_up(panel.planes[2], codes), look_up(panel.planes[3], codes));
}

/// Elements of `depth` inputs, 16 outputs each; of an even number of inputs where codes have 4 bits.
template <typename Elements>
inline void decode_halves(float* to, const PanelCodes& panel, int32_t depth, Elements elements) {
  for (int32_t k = 0; k < depth; k += 2, to += 2 * kPanelColumns) {
    const Bytes16 pair = load_bytes(panel.codes + k / 2 * kPanelColumns);
    store_f32x16(to, elements(panel, low_halves(pair)));
    store_f32x16(to + kPanelColumns, elements(panel, high_halves(pair)));
  }
}
inline void decode_step(float* to, const FcCodedF32Shape& shape, const PanelCodes& panel, int32_t depth) {
  if (shape.bits == 4) {
    if (shape.group != 0) return decode_halves(to, panel, depth, scaled_elements);
    return decode_halves(to, panel, depth, table_elements);
  }
  for (int32_t k = 0; k < depth; k++)
    store_f32x16(to + k * kPanelColumns, scaled_elements(panel, load_bytes(panel.codes + k * kPanelColumns)));
}

/// Decodes some inputs of a block at a time, and multiplies all rows by them.
inline void fc_coded_f32_simd(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile) {
  constexpr int32_t kStepFloats = kCodedStep * kPanelColumns;
  const CodedPanels layout = coded_panels(shape);
  const uint8_t* packed = static_cast<const uint8_t*>(args.packed);
  float* elements = static_cast<float*>(args.scratch);
  const int64_t rows = tile.end - tile.begin;
  Ending ending = {false, false, splat(1.0f), splat(args.lo), splat(args.hi)};
  PanelCodes panel{};
  if (shape.group == 0)
    for (int i = 0; i < 4; i++) panel.planes[i] = load_bytes(packed + i * 16);

  for (int32_t block = tile.block_begin; block < tile.block_end; block++) {
    const int32_t first = block * kPanelBlock;
    const int32_t outputs = shape.outputs - first < kPanelBlock ? shape.outputs - first : kPanelBlock;
    const int32_t panels = (outputs + kPanelColumns - 1) / kPanelColumns;
    const uint8_t* from = packed + layout.table_bytes + block * kBlockPanels * layout.panel_bytes;
    float* y = args.y + tile.begin * args.y_stride + first;
    for (int64_t row = 0; row < rows; row++)
      for (int32_t p = 0; p < panels; p++) {
        const int32_t left = outputs - p * kPanelColumns;
        __builtin_memcpy(y + row * args.y_stride + p * kPanelColumns, from + p * layout.panel_bytes,
                         sizeof(float) * (left < kPanelColumns ? left : kPanelColumns));
      }
    for (int32_t k = 0; k < shape.inputs; k += kCodedStep) {
      const int32_t depth = shape.inputs - k < kCodedStep ? shape.inputs - k : kCodedStep;
      for (int32_t p = 0; p < panels; p++) {
        const float* head = reinterpret_cast<const float*>(from + p * layout.panel_bytes);
        if (shape.group != 0) {
          const float* group = head + kPanelColumns * (1 + 2 * static_cast<ptrdiff_t>(k / shape.group));
          panel.scale = load_f32x16(group);
          panel.zero = load_f32x16(group + kPanelColumns);
        }
        const uint8_t* codes =
            reinterpret_cast<const uint8_t*>(head + kPanelColumns * (1 + 2 * layout.groups));
        panel.codes = codes + static_cast<ptrdiff_t>(k) * kPanelColumns * shape.bits / 8;
        decode_step(elements + p * kStepFloats, shape, panel, depth);
      }
      ending.ends = k + depth == shape.inputs;
      multiply_block(y, args.y_stride, args.x + tile.begin * args.x_stride + k, args.x_stride, 1, rows,
                     {elements, kPanelColumns, kStepFloats}, depth, outputs, ending);
    }
  }
}

}  // namespace
}  // namespace hone
