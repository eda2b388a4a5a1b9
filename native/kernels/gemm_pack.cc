#include "native/kernels/gemm_pack.h"

#include <cstring>

namespace hone {
namespace {

/// One element at `index`, in the format's width.
void store_element(const GemmFormat& format, uint8_t* elements, size_t index, int32_t value) {
  if (format.element_bytes == 1) {
    elements[index] = static_cast<uint8_t>(value);
  } else {
    const int16_t wide = static_cast<int16_t>(value);
    memcpy(elements + index * sizeof(wide), &wide, sizeof(wide));
  }
}

}  // namespace

bool has_minus_128(const int8_t* weights, int64_t count) {
  return memchr(weights, -128, static_cast<size_t>(count)) != nullptr;
}

void pack_gemm(const GemmFormat& format, const GemmDepth& depth, const GemmWeights& matrix, void* packed) {
  const size_t block_bytes = gemm_block_bytes(format, depth);
  const int64_t run_groups = gemm_run_groups(format, depth.run_length);
  const size_t length = static_cast<size_t>(depth.runs) * depth.run_length;
  uint8_t* block = static_cast<uint8_t*>(packed);
  memset(block, 0, block_bytes * gemm_blocks(format, matrix.channels));
  for (int32_t first = 0; first < matrix.channels; first += format.block, block += block_bytes) {
    uint8_t* elements = block + static_cast<size_t>(format.block) * 8;
    for (int32_t c = 0; c < format.block && first + c < matrix.channels; c++) {
      const int32_t channel = first + c;
      const int32_t zero_point = matrix.zero_points == nullptr ? 0 : matrix.zero_points[channel];
      const int8_t* weights = matrix.weights + channel * length;
      uint32_t sum = 0;
      for (int32_t run = 0; run < depth.runs; run++) {
        for (int32_t k = 0; k < depth.run_length; k++) {
          const int32_t value = weights[static_cast<size_t>(run) * depth.run_length + k] - zero_point;
          const size_t group = static_cast<size_t>(run * run_groups + k / format.k_group);
          store_element(format, elements, (group * format.block + c) * format.k_group + k % format.k_group,
                        value);
          sum += static_cast<uint32_t>(value);
        }
      }
      const uint32_t offset = static_cast<uint32_t>(matrix.x_zero_point + format.x_offset);
      const uint32_t bias = static_cast<uint32_t>(matrix.bias[channel]) - offset * sum;
      memcpy(block + c * sizeof(bias), &bias, sizeof(bias));
      memcpy(block + (static_cast<size_t>(format.block) + c) * sizeof(float), matrix.multiplier + channel,
             sizeof(float));
    }
  }
}

}  // namespace hone
