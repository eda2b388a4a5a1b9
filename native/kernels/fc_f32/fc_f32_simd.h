#pragma once
#include "native/kernels/fc_f32/fc_f32_rows.h"
#include "native/kernels/panels_f32.h"

namespace hone {
namespace {

/// kVectors vectors of outputs of one row; packed weights of one input are `stride` floats apart.
template <int kVectors>
inline void multiply_outputs(float* y, const float* x, int32_t inputs, const float* packed, ptrdiff_t stride,
                             int outputs, VecF lo, VecF hi) {
  VecF acc[kVectors];
  for (int j = 0; j < kVectors; j++) acc[j] = load(packed + j * kLanes);
  for (int32_t k = 0; k < inputs; k++) {
    packed += stride;
    const VecF v = splat(x[k]);
    for (int j = 0; j < kVectors; j++) acc[j] = fused_multiply_add(v, load(packed + j * kLanes), acc[j]);
  }
  const int rest = outputs - (kVectors - 1) * kLanes;
  for (int j = 0; j < kVectors; j++) {
    const VecF v = clamp_keep_nan(acc[j], lo, hi);
    if (j + 1 < kVectors || rest == kLanes) {
      store(y + j * kLanes, v);
    } else {
      store_first(y + j * kLanes, v, rest);
    }
  }
}

/// Computes as many vectors as there are outputs.
template <int kVectors>
inline void multiply_row_by_block(float* y, const float* x, int32_t inputs, const float* packed,
                                  ptrdiff_t stride, int outputs, VecF lo, VecF hi) {
  if constexpr (kVectors > 1) {
    if (outputs <= (kVectors - 1) * kLanes) {
      return multiply_row_by_block<kVectors - 1>(y, x, inputs, packed, stride, outputs, lo, hi);
    }
  }
  multiply_outputs<kVectors>(y, x, inputs, packed, stride, outputs, lo, hi);
}

/// Several rows share what they load of the weights: sums begin in y, with the bias.
inline void multiply_rows_by_block(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile,
                                   int32_t first, int outputs, const float* packed, ptrdiff_t stride) {
  const Ending ending = {false, true, splat(1.0f), splat(args.lo), splat(args.hi)};
  float* y = args.y + tile.begin * args.y_stride + first;
  const int64_t rows = tile.end - tile.begin;
  for (int64_t row = 0; row < rows; row++)
    __builtin_memcpy(y + row * args.y_stride, packed, sizeof(float) * outputs);
  multiply_block(y, args.y_stride, args.x + tile.begin * args.x_stride, args.x_stride, 1, rows,
                 {packed + stride, stride, kPanelColumns}, shape.inputs, outputs, ending);
}

template <int32_t kBlock>
inline void fc_f32_simd(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile) {
  const VecF lo = splat(args.lo), hi = splat(args.hi);
  for (int32_t block = tile.block_begin; block < tile.block_end; block++) {
    const int32_t first = block * kBlock;
    const float* packed =
        static_cast<const float*>(args.packed) + static_cast<ptrdiff_t>(first) * (shape.inputs + 1);
    const int outputs = shape.outputs - first < kBlock ? shape.outputs - first : kBlock;
    const ptrdiff_t stride = fc_f32_padded_outputs(shape, first, kBlock);
    if (tile.end - tile.begin == 1) {
      multiply_row_by_block<kBlock / kLanes>(args.y + tile.begin * args.y_stride + first,
                                             args.x + tile.begin * args.x_stride, shape.inputs, packed,
                                             stride, outputs, lo, hi);
    } else {
      multiply_rows_by_block(shape, args, tile, first, outputs, packed, stride);
    }
  }
}

}  // namespace
}  // namespace hone
