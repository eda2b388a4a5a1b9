#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"
#include "native/kernels/weight_codes.h"

namespace hone {

/// Fully connected float layer over weights that stay codes. Each weight is decoded as weight_codes.h says
/// (rounded to float32), then as fc_f32: acc = bias[n], fma with k ascending, clamp; so it gives the bits
/// that fc_f32 gives over decoded weights. Made for few rows, which wait for the weights.
struct FcCodedF32Shape {
  int32_t rows;
  int32_t inputs;   ///< codes of a row of the weights
  int32_t outputs;  ///< rows of the weights
  int32_t bits;     ///< of a code
  int32_t group;    ///< codes with a scale together; 0: a codebook
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline FcCodedF32Shape pack_shape(const FcCodedF32Shape& shape) {
  return {1, shape.inputs, shape.outputs, shape.bits, shape.group};
}

struct FcCodedF32Weights {
  WeightCodes codes;  ///< kScaled or kCodebook
  const float* bias;  ///< [outputs]
};

struct FcCodedF32Args {
  float* y;
  const float* x;
  const void* packed;
  void* scratch;
  ptrdiff_t x_stride;  ///< elements between rows
  ptrdiff_t y_stride;
  float lo;
  float hi;
};

/// An item is a row; a block is `block_outputs` consecutive outputs.
struct FcCodedF32Row {
  const char* name;
  CpuFeatures needs;
  bool (*fits)(const FcCodedF32Shape& shape);
  int32_t block_outputs;
  PackedLayout layout;
  size_t (*packed_bytes)(const FcCodedF32Shape& shape);
  void (*pack)(const FcCodedF32Shape& shape, const FcCodedF32Weights& weights, void* packed);
  size_t (*scratch_bytes)(const FcCodedF32Shape& shape);
  void (*run)(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const FcCodedF32Row kFcCodedF32Rows[];
extern const int kFcCodedF32RowCount;

}  // namespace hone
