#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"
#include "native/kernels/weight_codes.h"

namespace hone {

/// Fully connected int8 layer over weights that stay codes of 4 bits: the bits that fc_s8 gives over decoded
/// weights without zero points. Made for few rows, which wait for the weights.
struct FcCodedS8Shape {
  int32_t rows;
  int32_t inputs;   ///< codes of a row of the weights
  int32_t outputs;  ///< rows of the weights
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline FcCodedS8Shape pack_shape(const FcCodedS8Shape& shape) {
  return {1, shape.inputs, shape.outputs};
}

struct FcCodedS8Weights {
  WeightCodes codes;        ///< kNarrow, or a codebook of 16 entries
  const int32_t* bias;      ///< [outputs]
  const float* multiplier;  ///< [outputs]
  int32_t x_zero_point;
};

struct FcCodedS8Args {
  int8_t* y;
  const int8_t* x;
  const void* packed;
  void* scratch;
  ptrdiff_t x_stride;  ///< bytes between rows of x
  ptrdiff_t y_stride;  ///< bytes between rows of y
  OutputRange range;
};

/// An item is a row; a block is `block_outputs` consecutive outputs.
struct FcCodedS8Row {
  const char* name;
  CpuFeatures needs;
  int32_t block_outputs;
  PackedLayout layout;
  size_t (*packed_bytes)(const FcCodedS8Shape& shape);
  void (*pack)(const FcCodedS8Shape& shape, const FcCodedS8Weights& weights, void* packed);
  size_t (*scratch_bytes)(const FcCodedS8Shape& shape);
  void (*run)(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const FcCodedS8Row kFcCodedS8Rows[];
extern const int kFcCodedS8RowCount;

}  // namespace hone
