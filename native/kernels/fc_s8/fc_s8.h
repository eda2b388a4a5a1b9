#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"

namespace hone {

/// Fully connected int8 layer: y[m, n] = requantize(bias[n] + sum over k of (x[m, k] - zx) * (w[n, k] -
/// zw[n])). Formula and exactness as conv_s8 without the residual. Made for few rows (m is 1 at batch 1):
/// weight-bound.
struct FcS8Shape {
  int32_t rows;     ///< m
  int32_t inputs;   ///< k
  int32_t outputs;  ///< n
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline FcS8Shape pack_shape(const FcS8Shape& shape) { return {1, shape.inputs, shape.outputs}; }

struct FcS8Weights {
  const int8_t* weights;      ///< [outputs][inputs]
  const int32_t* bias;        ///< [outputs]
  const float* multiplier;    ///< [outputs]
  const int8_t* zero_points;  ///< [outputs], or null when all are 0
  int32_t x_zero_point;
};

struct FcS8Args {
  int8_t* y;
  const int8_t* x;
  const void* packed;
  void* scratch;
  ptrdiff_t x_stride;  ///< bytes between rows of x
  ptrdiff_t y_stride;  ///< bytes between rows of y
  OutputRange range;
};

/// An item is a row m; a block is `block_outputs` consecutive outputs.
struct FcS8Row {
  const char* name;
  CpuFeatures needs;
  bool (*fits)(const FcS8Shape& shape);  ///< with any weights and zero points
  int32_t block_outputs;
  PackedLayout layout;
  size_t (*packed_bytes)(const FcS8Shape& shape);
  void (*pack)(const FcS8Shape& shape, const FcS8Weights& weights, void* packed);
  size_t (*scratch_bytes)(const FcS8Shape& shape);
  void (*run)(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);
};

extern const FcS8Row kFcS8Rows[];
extern const int kFcS8RowCount;

}  // namespace hone
