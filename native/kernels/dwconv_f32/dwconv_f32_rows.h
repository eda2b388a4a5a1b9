#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/dwconv_f32/dwconv_f32.h"

/// What the table and the instruction-set files of dwconv_f32 share. Symbol = file = table row. All rows use
/// one packed form: bias[channels], weights[kernel_h * kernel_w][channels], and a pixel of zeros that stands
/// for the padding.
namespace hone {

void dwconv_f32_ref(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile);
void dwconv_f32_avx2(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile);
void dwconv_f32_neon(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile);

}  // namespace hone
