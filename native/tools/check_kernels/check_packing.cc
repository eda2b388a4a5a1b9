// Packing is plain code with one right answer per layout: the bytes that one loop over all elements writes.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "native/kernels/conv_s8/conv_s8_rows.h"
#include "native/kernels/dwconv_s8/dwconv_s8.h"
#include "native/kernels/fc_s8/fc_s8_rows.h"
#include "native/tools/check_kernels/checker.h"

namespace hone::check {
namespace {

void add_trait(const GemmFormat& format, uint8_t* block, uint32_t trait) {
  uint32_t traits = 0;
  std::memcpy(&traits, block + format.block * 12, 4);
  traits |= trait;
  std::memcpy(block + format.block * 12, &traits, 4);
}

/// The definition of gemm_pack.h, element by element.
void pack_plainly(const GemmFormat& format, const GemmDepth& depth, const GemmWeights& matrix,
                  uint8_t* packed) {
  const size_t block_bytes = gemm_block_bytes(format, depth);
  const int64_t run_groups = gemm_run_groups(format, depth.run_length);
  std::memset(packed, 0, block_bytes * static_cast<size_t>(gemm_blocks(format, matrix.channels)));
  for (int32_t channel = 0; channel < matrix.channels; channel++) {
    uint8_t* block = packed + static_cast<size_t>(channel / format.block) * block_bytes;
    const int32_t c = channel % format.block;
    uint32_t sum = 0;
    const int32_t zero_point = matrix.zero_points == nullptr ? 0 : matrix.zero_points[channel];
    const int64_t length = int64_t{depth.runs} * depth.run_length;
    bool folds = true;
    for (int64_t k = 0; k < length && format.element_bytes == 1; k++) {
      const int32_t difference = matrix.weights[channel * length + k] - zero_point;
      folds = folds && difference == static_cast<int8_t>(difference);
    }
    const int32_t folded = folds ? zero_point : 0;
    for (int32_t run = 0; run < depth.runs; run++)
      for (int32_t k = 0; k < depth.run_length; k++) {
        const int64_t at = (int64_t{channel} * depth.runs + run) * depth.run_length + k;
        const auto value = static_cast<int16_t>(matrix.weights[at] - folded);
        const int64_t group = run * run_groups + k / format.k_group;
        const int64_t index = (group * format.block + c) * format.k_group + k % format.k_group;
        std::memcpy(block + gemm_head_bytes(format) + index * format.element_bytes, &value,
                    static_cast<size_t>(format.element_bytes));
        sum += static_cast<uint32_t>(matrix.weights[at] - zero_point);
        const bool pair =
            format.k_group == 16 && k % 16 >= 8 && value == -128 && matrix.weights[at - 8] - folded == -128;
        if (pair) add_trait(format, block, kPackedWide);
      }
    const uint32_t offset = static_cast<uint32_t>(matrix.x_zero_point + format.x_offset);
    const uint32_t bias = static_cast<uint32_t>(matrix.bias[channel]) - offset * sum;
    std::memcpy(block + c * 4, &bias, 4);
    std::memcpy(block + (format.block + c) * 4, matrix.multiplier + channel, 4);
    if (format.element_bytes > 1) continue;
    const int32_t left = zero_point - folded;
    std::memcpy(block + (2 * format.block + c) * 4, &left, 4);
    if (left != 0) add_trait(format, block, kPackedShifted);
  }
}

/// Constants for up to `channels` rows of `length`.
struct Constants {
  std::vector<int8_t> weights, zero_points;
  std::vector<int32_t> bias;
  std::vector<float> multiplier;

  Constants(Rng& rng, int64_t channels, int64_t length) {
    // -128 often enough for pairs of them, and zero points of 0 among the others.
    for (int64_t i = 0; i < channels * length; i++)
      weights.push_back(static_cast<int8_t>(rng.chance(0.05) ? -128 : rng.between(-128, 127)));
    for (int64_t i = 0; i < channels; i++) {
      zero_points.push_back(static_cast<int8_t>(rng.chance(0.5) ? 0 : rng.between(-128, 127)));
      bias.push_back(static_cast<int32_t>(rng.next()));
      multiplier.push_back(static_cast<float>(rng.unit()));
    }
  }
  template <typename Weights>
  Weights all(bool with_zero_points) const {
    return {weights.data(), bias.data(), multiplier.data(), with_zero_points ? zero_points.data() : nullptr,
            -7};
  }
};

/// Every format of matrix products, with runs and channels around the edges of words, chunks and blocks.
bool check_gemm(Rng& rng, long* cases) {
  constexpr GemmFormat kFormats[] = {
      kConvS8Avx2Format,      kConvS8Avx512VnniFormat, kConvS8NeonFormat,     kConvS8NeonDotprodFormat,
      kConvS8NeonI8mmFormat,  kFcS8Avx2Format,         kFcS8Avx512VnniFormat, kFcS8NeonFormat,
      kFcS8NeonDotprodFormat, kFcS8NeonI8mmFormat};
  for (const GemmFormat& format : kFormats)
    for (const int32_t runs : {1, 3, 7})
      for (const int32_t run_length : {1, 2, 3, 5, 15, 16, 17, 48, 63, 64, 65, 127, 128, 200})
        for (const int32_t channels : {1, 3, 4, 5, 15, 16, 17, 40}) {
          const GemmDepth depth = {runs, run_length};
          const Constants constants(rng, channels, int64_t{runs} * run_length);
          const bool zero_points = rng.chance(0.5);
          const GemmWeights matrix = {constants.weights.data(),
                                      constants.bias.data(),
                                      constants.multiplier.data(),
                                      zero_points ? constants.zero_points.data() : nullptr,
                                      channels,
                                      static_cast<int32_t>(rng.between(-128, 127))};
          const size_t bytes =
              gemm_block_bytes(format, depth) * static_cast<size_t>(gemm_blocks(format, channels));
          std::vector<uint8_t> expected(bytes), packed(bytes, 0xA5);
          pack_plainly(format, depth, matrix, expected.data());
          pack_gemm(format, depth, matrix, packed.data());
          ++*cases;
          if (packed == expected) continue;
          std::printf("FAIL packing: block %d k_group %d runs %d length %d channels %d\n", format.block,
                      format.k_group, runs, run_length, channels);
          return false;
        }
  return true;
}

/// The bytes of one layout, over all shapes that were tried.
struct Packed {
  std::string layout, row;
  std::vector<uint8_t> bytes;
};

template <typename Row, typename Shape, typename Weights>
void pack_rows(const Row* rows, int count, const std::vector<Shape>& shapes,
               const std::vector<Weights>& weights, std::vector<Packed>* list) {
  for (int i = 0; i < count; i++) {
    Packed packed = {
        rows[i].layout.name + std::string(" ") + std::to_string(rows[i].layout.version), rows[i].name, {}};
    for (size_t k = 0; k < shapes.size(); k++) {
      const Shape what = pack_shape(shapes[k]);
      const size_t at = packed.bytes.size();
      packed.bytes.resize(at + rows[i].packed_bytes(what));
      rows[i].pack(what, weights[k], packed.bytes.data() + at);
      if (rows[i].packed_bytes(shapes[k]) + at != packed.bytes.size()) packed.bytes.clear();
    }
    list->push_back(packed);
  }
}

/// Rows have the same layout exactly where they write the same bytes.
bool check_layouts(Rng& rng, long* cases) {
  constexpr int32_t kChannels[] = {4, 8, 24, 40};
  const Constants constants(rng, 40, 9 * 40);
  std::vector<ConvS8Shape> around, points;
  std::vector<DwconvS8Shape> columns;
  std::vector<FcS8Shape> products;
  for (const int32_t channels : kChannels) {
    around.push_back({{2, 9, 9, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1}, channels, channels, 1});
    points.push_back({{1, 9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 0, 0}, channels, channels, 1});
    columns.push_back({{2, 9, 9, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1}, channels});
    products.push_back({81, channels, channels});
  }
  const auto weights = [&]<typename Weights>(Weights) {
    return std::vector<Weights>(std::size(kChannels), constants.all<Weights>(false));
  };
  std::vector<Packed> lists[3];
  pack_rows(kConvS8Rows, kConvS8RowCount, around, weights(ConvS8Weights{}), &lists[0]);
  pack_rows(kDwconvS8Rows, kDwconvS8RowCount, columns, weights(DwconvS8Weights{}), &lists[1]);
  // A convolution of single positions is a matrix product.
  pack_rows(kConvS8Rows, kConvS8RowCount - 1, points, weights(ConvS8Weights{}), &lists[2]);
  pack_rows(kFcS8Rows, kFcS8RowCount, products, weights(FcS8Weights{}), &lists[2]);
  for (const std::vector<Packed>& list : lists)
    for (const Packed& a : list)
      for (const Packed& b : list) {
        ++*cases;
        if ((a.layout == b.layout) == (a.bytes == b.bytes) && !a.bytes.empty()) continue;
        std::printf("FAIL packing: layout %s of %s against %s of %s\n", a.layout.c_str(), a.row.c_str(),
                    b.layout.c_str(), b.row.c_str());
        return false;
      }
  return true;
}

}  // namespace

bool check_packing(uint64_t seed) {
  Rng rng(seed);
  long cases = 0;
  if (!check_gemm(rng, &cases) || !check_layouts(rng, &cases)) return false;
  std::printf("ok   packing: %ld cases\n", cases);
  return true;
}

}  // namespace hone::check
