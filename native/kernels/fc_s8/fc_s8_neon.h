#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/kernels/fc_s8/fc_s8_rows.h"
#include "native/kernels/gemm_s8_neon.h"

// The fully connected layer around the matrix tiles of any ARM instruction set (internal linkage, see
// requantize_neon.h).

namespace hone {
namespace {

/// The run function of a NEON row. kRowBlocks blocks are computed together for a single row, so that enough
/// accumulators are in flight; kRowBlocks 0: this instruction set has no single-row tile and repeats the row.
template <class Gemm, int kRowBlocks>
void run_fc(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile, const GemmFormat& format) {
  const NeonRange range = load_range(args.range);
  const size_t block_bytes = gemm_block_bytes(format, {1, shape.inputs});
  const int64_t depth = gemm_run_groups(format, shape.inputs) * format.k_group;
  const size_t scratch_stride = fc_s8_scratch_stride(shape, 1);
  int8_t* scratch = static_cast<int8_t*>(args.scratch);

  for (int64_t first = tile.begin; first < tile.end; first += Gemm::kRows) {
    const int32_t valid =
        tile.end - first < Gemm::kRows ? static_cast<int32_t>(tile.end - first) : Gemm::kRows;
    const int32_t count = (valid + Gemm::kRowStep - 1) / Gemm::kRowStep * Gemm::kRowStep;
    const int8_t* rows[Gemm::kRows];
    for (int32_t m = 0; m < count; m++) {
      rows[m] = m < valid ? args.x + (first + m) * args.x_stride : rows[valid - 1];
      if (depth == shape.inputs || m >= valid) continue;
      int8_t* copy = scratch + m * scratch_stride;
      std::memcpy(copy, rows[m], static_cast<size_t>(shape.inputs));
      std::memset(copy + shape.inputs, 0, static_cast<size_t>(depth - shape.inputs));
      rows[m] = copy;
    }
    int32_t sums[Gemm::kRows];
    const int32_t* known_sums = nullptr;
    // Sums of the rows where these blocks need them.
    const auto sums_for = [&](uint32_t traits) -> const int32_t* {
      if ((traits & kPackedShifted) == 0) return nullptr;
      if (known_sums == nullptr) sum_rows<Gemm>(rows, 1, depth, count, sums);
      return known_sums = sums;
    };
    for (int32_t block = tile.block_begin; block < tile.block_end;) {
      const uint8_t* packed = static_cast<const uint8_t*>(args.packed) + block * block_bytes;
      const int32_t output = block * format.block;
      int8_t* y = args.y + first * args.y_stride + output;
      if constexpr (kRowBlocks > 0) {
        if (count == 1 && block + kRowBlocks <= tile.block_end &&
            output + kRowBlocks * Gemm::kChannels <= shape.outputs) {
          const uint32_t traits = join_traits<Gemm>(packed, block_bytes, kRowBlocks);
          find_row_tile<Gemm, kRowBlocks>(traits)(
              {rows, 1, depth, packed, block_bytes, y, 0, sums_for(traits)}, range);
          block += kRowBlocks;
          continue;
        }
      }
      const uint32_t traits = *PackedBlock<Gemm>(packed).traits;
      const int32_t left = shape.outputs - output;
      const int32_t channels = left < Gemm::kChannels ? left : Gemm::kChannels;
      const int32_t width = Gemm::kVectors == 4 && channels <= 8 ? 8 : Gemm::kChannels;
      const RunTile run = find_tile<Gemm>(traits, count, channels, depth);
      GemmTile work = {rows, 1, depth, packed, block_bytes, y, args.y_stride, sums_for(traits)};
      if (channels == width && count == valid) {
        run(work, range);
      } else {
        int8_t staged[Gemm::kRows * Gemm::kChannels];
        work.y = staged;
        work.y_stride = width;
        run(work, range);
        for (int32_t m = 0; m < valid; m++) {
          std::memcpy(y + m * args.y_stride, staged + m * width, static_cast<size_t>(channels));
        }
      }
      block++;
    }
  }
}

}  // namespace
}  // namespace hone
