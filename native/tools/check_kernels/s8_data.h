#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "native/core/requantize.h"
#include "native/tools/check_kernels/checker.h"
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

/// Gives a layer zero points of the weights that no packer can subtract from them: what they cost at most.
void add_zero_points(Workbench& bench, size_t count, size_t channels, S8Weights* weights);

/// Bench case `index` of `count` shapes: once as they are, once more with such zero points, which `name`
/// says.
struct S8Bench {
  int shape;
  bool with_zero_points;
  std::string name(const char* shape_name) const {
    return with_zero_points ? std::string(shape_name) + kWithZeroPoints : shape_name;
  }
};
inline S8Bench s8_bench(int index, int count) { return {index % count, index >= count}; }

/// Output range around a random zero point, sometimes with a fused activation.
OutputRange make_s8_range(Workbench& bench, bool plain);

}  // namespace hone::check
