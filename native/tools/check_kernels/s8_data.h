#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/requantize.h"
#include "native/tools/check_kernels/workbench.h"

/// Data of the int8 kernels with weights: conv_s8, dwconv_s8, fc_s8.
namespace hone::check {

/// Weights of one layer; fields as in ConvS8Weights.
struct S8Weights {
  int8_t* weights;
  int32_t* bias;
  float* multiplier;
  int8_t* zero_points;
  int32_t x_zero_point;
};

/// `count` weights for `channels` outputs that sum `depth` products each. Some layers have weight zero
/// points, some -128, some multipliers far too large or too small.
S8Weights make_s8_weights(Workbench& bench, size_t count, size_t channels, size_t depth, bool plain);

/// Output range around a random zero point, sometimes with a fused activation.
OutputRange make_s8_range(Workbench& bench, bool plain);

}  // namespace hone::check
