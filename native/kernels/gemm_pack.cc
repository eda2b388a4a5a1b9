#include "native/kernels/gemm_pack.h"

#include <cstring>

namespace hone {
namespace {

/// Elements of a row that are packed at a time: a line of the cache, so that no source line is fetched twice
/// and what is written stays near. A multiple of every k_group.
constexpr int32_t kChunk = 64;
constexpr int32_t kMostChannels = 16;

/// Packs one run of the `channels` rows of a block: k_group neighbours of a row are one word of kWord bytes.
/// `folded` is subtracted from the weights of a row, and `sums` grows by them less their zero points.
template <typename Element, int32_t kWord>
void pack_run(const GemmFormat& format, const int8_t* rows, size_t row_length, const int32_t* zero_points,
              const int32_t* folded, int32_t channels, int32_t run_length, uint8_t* words, uint32_t* sums) {
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
      for (int32_t i = 0; i < kChunk; i++) chunk[i] = static_cast<Element>(from[i] - folded[c]);
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

using PackRun = void (*)(const GemmFormat&, const int8_t*, size_t, const int32_t*, const int32_t*, int32_t,
                         int32_t, uint8_t*, uint32_t*);

PackRun find_pack_run(const GemmFormat& format) {
  if (format.element_bytes == 2) return pack_run<int16_t, 4>;
  return format.k_group == 4 ? pack_run<int8_t, 4>
                             : (format.k_group == 8 ? pack_run<int8_t, 8> : pack_run<int8_t, 16>);
}

/// Whether two weights of -128 lie eight apart in one of the words of 16 bytes.
bool has_wide_pair(const uint8_t* words, size_t bytes) {
  for (size_t word = 0; word < bytes; word += 16)
    for (size_t i = word; i < word + 8; i++)
      if (words[i] == 0x80 && words[i + 8] == 0x80) return true;
  return false;
}

/// Zero points that are left and traits of a block of int8 elements; `words` are its packed weights.
void write_head(const GemmFormat& format, const int32_t* left, const uint8_t* words, size_t bytes,
                uint8_t* head) {
  uint32_t traits = 0;
  for (int32_t c = 0; c < format.block; c++)
    if (left[c] != 0) traits |= kPackedShifted;
  if (format.k_group == 16 && memchr(words, -128, bytes) != nullptr && has_wide_pair(words, bytes))
    traits |= kPackedWide;
  const size_t row = static_cast<size_t>(format.block) * sizeof(int32_t);
  memcpy(head, left, row);
  memset(head + row, 0, row);
  memcpy(head + row, &traits, sizeof(traits));
}

}  // namespace

bool fits_folded(const int8_t* weights, int64_t count, int64_t step, int32_t zero_point) {
  int32_t least = 127, most = -128;
  for (int64_t k = 0; k < count; k++) {
    const int32_t weight = weights[k * step];
    least = weight < least ? weight : least;
    most = weight > most ? weight : most;
  }
  return least - zero_point >= -128 && most - zero_point <= 127;
}

void pack_gemm(const GemmFormat& format, const GemmDepth& depth, const GemmWeights& matrix, void* packed) {
  const size_t block_bytes = gemm_block_bytes(format, depth);
  const size_t length = static_cast<size_t>(depth.runs) * depth.run_length;
  const size_t run_bytes = static_cast<size_t>(gemm_run_groups(format, depth.run_length)) * format.block *
                           format.k_group * format.element_bytes;
  const size_t head_bytes = gemm_head_bytes(format);
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
    int32_t folded[kMostChannels] = {}, not_folded[kMostChannels] = {};
    uint32_t sums[kMostChannels] = {};
    for (int32_t c = 0; c < channels && matrix.zero_points != nullptr; c++) {
      zero_points[c] = matrix.zero_points[first + c];
      const int8_t* row = matrix.weights + (first + c) * length;
      const bool fits =
          format.element_bytes == 2 || fits_folded(row, static_cast<int64_t>(length), 1, zero_points[c]);
      (fits ? folded : not_folded)[c] = zero_points[c];
    }
    for (int32_t run = 0; run < depth.runs; run++) {
      const int8_t* rows = matrix.weights + first * length + static_cast<size_t>(run) * depth.run_length;
      pack_run(format, rows, length, zero_points, folded, channels, depth.run_length,
               block + head_bytes + run_bytes * run, sums);
    }
    if (format.element_bytes == 1)
      write_head(format, not_folded, block + head_bytes, run_bytes * depth.runs,
                 block + static_cast<size_t>(format.block) * 8);
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
