#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/fc_coded_f32/fc_coded_f32.h"
#include "native/kernels/panel_blocks.h"

/// What the table and the instruction-set files of fc_coded_f32 share. Symbol = file = table row; packing is
/// the table's.
namespace hone {

void fc_coded_f32_ref(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile);
void fc_coded_f32_avx2(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile);
void fc_coded_f32_neon(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile);

/// Inputs that are decoded at a time; scales change between such steps only.
inline constexpr int32_t kCodedStep = 32;

/// Packed form: a codebook of 16 floats (their lowest bytes, their second bytes, ...), where there is one;
/// then panels of 16 outputs: bias, scale and zero point of each group as floats, codes. The codes of one
/// input are 16 bytes, of 4 bits those of two inputs, the first in the lower half; those of 4 bits with a
/// scale are less by 8 than they are, as are zero points.
struct CodedPanels {
  size_t table_bytes;
  int64_t groups;     ///< of a row; 0: a codebook
  size_t code_bytes;  ///< of a panel
  size_t panel_bytes;
};
static inline CodedPanels coded_panels(const FcCodedF32Shape& shape) {
  CodedPanels panels = {0, 0, 0, 0};
  if (shape.group == 0) panels.table_bytes = 64;
  if (shape.group != 0) panels.groups = code_groups(shape.inputs, shape.group);
  panels.code_bytes = static_cast<size_t>(code_row_bytes(shape.bits, shape.inputs)) * kPanelColumns;
  panels.panel_bytes =
      sizeof(float) * kPanelColumns * static_cast<size_t>(1 + 2 * panels.groups) + panels.code_bytes;
  return panels;
}

}  // namespace hone
