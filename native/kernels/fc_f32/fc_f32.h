#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"

namespace hone {

/// Fully connected float layer with a fused clamp: acc = bias[n], then fma with k ascending; as conv_f32.
struct FcF32Shape {
  int32_t rows;
  int32_t inputs;
  int32_t outputs;
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline FcF32Shape pack_shape(const FcF32Shape& shape) { return {1, shape.inputs, shape.outputs}; }

struct FcF32Weights {
  const float* weights;  ///< [outputs][inputs]
  const float* bias;     ///< [outputs]
};

struct FcF32Args {
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
struct FcF32Row {
  const char* name;
  CpuFeatures needs;
  int32_t block_outputs;
  PackedLayout layout;
  size_t (*packed_bytes)(const FcF32Shape& shape);
  void (*pack)(const FcF32Shape& shape, const FcF32Weights& weights, void* packed);
  size_t (*scratch_bytes)(const FcF32Shape& shape);
  void (*run)(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const FcF32Row kFcF32Rows[];
extern const int kFcF32RowCount;

}  // namespace hone
