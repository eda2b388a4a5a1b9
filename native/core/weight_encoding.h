#pragma once
#include <cstdint>

namespace hone {

/// How weights are held as codes. What each code stands for is said in kernels/weight_codes.h.
enum class WeightEncoding : uint8_t {
  kNarrow = 0,       ///< int8 elements that fit 4 bits
  kScaled = 1,       ///< float32: a small integer times the scale of its group
  kCodebook = 2,     ///< places in a table of elements
  kBlockSparse = 3,  ///< kept for a later engine
  kEntropy = 4,      ///< kept for a later engine
};

}  // namespace hone
