#include <cstring>

#include "native/kernels/fc_s8/fc_s8_rows.h"
#include "native/kernels/gemm_s8_avx512vnni.h"

namespace hone {
namespace {

/// One row of x against kBlocks blocks. A single row gives each weight vector one use, so what counts is to
/// keep enough sums in flight: kChains of them per block take turns in k.
template <int kBlocks, int kChains>
void run_row(const Panel& panel, const uint8_t* x, int8_t* y) {
  const size_t block_bytes = panel.block_bytes;
  __m512i acc[kChains][kBlocks];
  unroll<kBlocks>([&](auto b) { acc[0][b] = _mm512_loadu_si512(panel.block + b * block_bytes); });
  unroll<(kChains - 1) * kBlocks>(
      [&](auto i) { acc[1 + i / kBlocks][i % kBlocks] = _mm512_setzero_si512(); });
  const uint8_t* weights = panel.block + kHeadBytes;
  const uint8_t* end = weights + panel.run_groups * 64;
  for (; weights + (kChains - 1) * 64 < end; weights += kChains * 64, x += kChains * 4) {
    unroll<kChains>([&](auto chain) {
      const __m512i a = broadcast4(x + chain * 4);
      unroll<kBlocks>([&](auto b) {
        const __m512i w = _mm512_loadu_si512(weights + chain * 64 + b * block_bytes);
        acc[chain][b] = _mm512_dpbusd_epi32(acc[chain][b], a, w);
      });
    });
  }
  for (; weights < end; weights += 64, x += 4) {
    const __m512i a = broadcast4(x);
    unroll<kBlocks>([&](auto b) {
      acc[0][b] = _mm512_dpbusd_epi32(acc[0][b], a, _mm512_loadu_si512(weights + b * block_bytes));
    });
  }
  __m512i sum[1][kBlocks];
  unroll<kBlocks>([&](auto b) {
    sum[0][b] = acc[0][b];
    unroll<kChains - 1>([&](auto chain) { sum[0][b] = _mm512_add_epi32(sum[0][b], acc[chain + 1][b]); });
  });
  if (panel.sums != nullptr) subtract_zero_points<kBlocks, 1>(panel, 0, sum);
  finish_panel<kBlocks, 1>(panel, sum, 0, y);
}

void run_row(int32_t blocks, const Panel& panel, const uint8_t* x, int8_t* y) {
  switch (blocks) {
    case 1:
      return run_row<1, 8>(panel, x, y);
    case 2:
      return run_row<2, 4>(panel, x, y);
    case 3:
      return run_row<3, 4>(panel, x, y);
    default:
      return run_row<4, 4>(panel, x, y);
  }
}

}  // namespace

void fc_s8_avx512vnni(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile) {
  const size_t stride = fc_s8_scratch_stride(shape, 1);
  uint8_t* rows = static_cast<uint8_t*>(args.scratch);
  Panel panel = {nullptr,
                 gemm_block_bytes(kFcS8Avx512VnniFormat, {1, shape.inputs}),
                 1,
                 1,
                 0,
                 0,
                 gemm_run_groups(kFcS8Avx512VnniFormat, shape.inputs),
                 static_cast<ptrdiff_t>(stride),
                 args.y_stride,
                 0,
                 Requantizer(args.range),
                 nullptr,
                 nullptr};
  panel.small_sums = shape.inputs <= kMostSmallDepth;
  const int64_t at_once = fc_s8_scratch_rows(shape);
  const uint8_t* first = static_cast<const uint8_t*>(args.packed) + tile.block_begin * panel.block_bytes;
  const bool shifted = is_shifted(first, panel.block_bytes, tile.block_end - tile.block_begin);
  int32_t sums[kFcS8MostScratchRows];
  for (int64_t row = tile.begin; row < tile.end; row += at_once) {
    const int64_t count = tile.end - row < at_once ? tile.end - row : at_once;
    for (int64_t i = 0; i < count; i++) {
      copy_as_u8(rows + i * stride, args.x + (row + i) * args.x_stride, shape.inputs);
      memset(rows + i * stride + shape.inputs, 0, 4);  // read with weights of 0
    }
    if (shifted && count == 1) {
      sums[0] = sum_lanes(RunSum(shape.inputs).add(_mm512_setzero_si512(), rows));
    } else if (shifted) {
      sum_windows(panel, shape.inputs, rows, count, sums);
    }
    for (int32_t block = tile.block_begin; block < tile.block_end;) {
      const int32_t blocks = next_blocks(tile.block_end - block);
      const int32_t left = shape.outputs - block * 16;
      panel.block = static_cast<const uint8_t*>(args.packed) + block * panel.block_bytes;
      panel.sums = is_shifted(panel.block, panel.block_bytes, blocks) ? reinterpret_cast<const uint8_t*>(sums)
                                                                      : nullptr;
      panel.channels = left < blocks * 16 ? left : blocks * 16;
      int8_t* y = args.y + row * args.y_stride + block * 16;
      if (count == 1) {
        run_row(blocks, panel, rows, y);
      } else {
        run_pixels(blocks, panel, rows, count, y);
      }
      block += blocks;
    }
  }
}

}  // namespace hone
