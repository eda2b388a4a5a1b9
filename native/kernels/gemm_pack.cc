#include "native/kernels/gemm_pack.h"

#include <cstring>

namespace hone {
namespace {

/// Elements of a row that are packed at a time: a line of the cache, so that no source line is fetched twice
/// and what is written stays near. A multiple of every k_group.
constexpr int32_t kChunk = 64;
constexpr int32_t kMostChannels = 16;

/// Packs one run of the `channels` rows of a block: k_group neighbours of a row are one word of kWord bytes.
/// `sums` grows by the elements of each row.
template <typename Element, int32_t kWord>
void pack_run(const GemmFormat& format, const int8_t* rows, size_t row_length, const int32_t* zero_points,
              int32_t channels, int32_t run_length, uint8_t* words, uint32_t* sums) {
  constexpr int32_t kGroup = kWord / static_cast<int32_t>(sizeof(Element));
  const size_t stride = static_cast<size_t>(format.block) * kWord;
  for (int32_t k = 0; k < run_length; k += kChunk) {
    const int32_t count = run_length - k < kChunk ? run_length - k : kChunk;
    for (int32_t c = 0; c < channels; c++) {
      int8_t from[kChunk] = {};
      Element chunk[kChunk];
      const int32_t zero_point = zero_points[c];
      memcpy(from, rows + c * row_length + k, static_cast<size_t>(count));
      int32_t sum = 0;
      for (int32_t i = 0; i < kChunk; i++) sum += from[i];
      sums[c] += static_cast<uint32_t>(sum - zero_point * count);
      for (int32_t i = 0; i < kChunk; i++) chunk[i] = static_cast<Element>(from[i] - zero_point);
      for (int32_t i = count; i < kChunk; i++) chunk[i] = 0;
      uint8_t* to = words + static_cast<size_t>(k / kGroup) * stride + static_cast<size_t>(c) * kWord;
      if (count == kChunk) {
        for (int32_t g = 0; g < kChunk / kGroup; g++) memcpy(to + g * stride, chunk + g * kGroup, kWord);
      } else {
        for (int32_t g = 0; g * kGroup < count; g++) memcpy(to + g * stride, chunk + g * kGroup, kWord);
      }
    }
  }
}

using PackRun = void (*)(const GemmFormat&, const int8_t*, size_t, const int32_t*, int32_t, int32_t, uint8_t*,
                         uint32_t*);

PackRun find_pack_run(const GemmFormat& format) {
  if (format.element_bytes == 2) return pack_run<int16_t, 4>;
  return format.k_group == 4 ? pack_run<int8_t, 4>
                             : (format.k_group == 8 ? pack_run<int8_t, 8> : pack_run<int8_t, 16>);
}

}  // namespace

bool has_minus_128(const int8_t* weights, int64_t count) {
  return memchr(weights, -128, static_cast<size_t>(count)) != nullptr;
}

void pack_gemm(const GemmFormat& format, const GemmDepth& depth, const GemmWeights& matrix, void* packed) {
  const size_t block_bytes = gemm_block_bytes(format, depth);
  const size_t length = static_cast<size_t>(depth.runs) * depth.run_length;
  const size_t run_bytes = static_cast<size_t>(gemm_run_groups(format, depth.run_length)) * format.block *
                           format.k_group * format.element_bytes;
  const size_t head_bytes = static_cast<size_t>(format.block) * 8;
  const uint32_t offset = static_cast<uint32_t>(matrix.x_zero_point + format.x_offset);
  const PackRun pack_run = find_pack_run(format);
  uint8_t* block = static_cast<uint8_t*>(packed);
  for (int32_t first = 0; first < matrix.channels; first += format.block, block += block_bytes) {
    const int32_t left = matrix.channels - first;
    const int32_t channels = left < format.block ? left : format.block;
    const size_t used = head_bytes + run_bytes * depth.runs;
    // Words of channels that are not there, or else the bytes up to the next block.
    const size_t kept = channels < format.block ? 0 : used;
    memset(block + kept, 0, block_bytes - kept);
    int32_t zero_points[kMostChannels] = {};
    uint32_t sums[kMostChannels] = {};
    if (matrix.zero_points != nullptr)
      for (int32_t c = 0; c < channels; c++) zero_points[c] = matrix.zero_points[first + c];
    for (int32_t run = 0; run < depth.runs; run++) {
      const int8_t* rows = matrix.weights + first * length + static_cast<size_t>(run) * depth.run_length;
      pack_run(format, rows, length, zero_points, channels, depth.run_length,
               block + head_bytes + run_bytes * run, sums);
    }
    for (int32_t c = 0; c < channels; c++) {
      const uint32_t bias = static_cast<uint32_t>(matrix.bias[first + c]) - offset * sums[c];
      memcpy(block + c * sizeof(bias), &bias, sizeof(bias));
      memcpy(block + (static_cast<size_t>(format.block) + c) * sizeof(float), matrix.multiplier + first + c,
             sizeof(float));
    }
  }
}

void interleave_floats(const float* rows, int64_t length, int32_t count, float* to, int64_t stride) {
  constexpr int64_t kFloats = kChunk / 4;
  for (int64_t k = 0; k < length; k += kFloats) {
    const int64_t end = length - k < kFloats ? length : k + kFloats;
    for (int32_t c = 0; c < count; c++)
      for (int64_t i = k; i < end; i++) to[i * stride + c] = rows[c * length + i];
  }
}

}  // namespace hone
