#include "native/kernels/fc_s8/fc_s8_rows.h"
#include "native/kernels/gemm_s8_avx2.h"

namespace hone {
namespace {

/// One row of x against one block: four sums per vector take turns in k, so that additions do not wait for
/// one another.
void run_row(const Panel& panel, const int16_t* x, int8_t* y) {
  constexpr int kChains = 4;
  __m256i acc[kChains][2];
  acc[0][0] = load(panel.block);
  acc[0][1] = load(panel.block + 32);
  unroll<(kChains - 1) * 2>([&](auto i) { acc[1 + i / 2][i % 2] = _mm256_setzero_si256(); });
  const uint8_t* weights = panel.block + 128;
  const uint8_t* end = weights + panel.run_groups * 64;
  for (; weights + (kChains - 1) * 64 < end; weights += kChains * 64, x += kChains * 2) {
    unroll<kChains>([&](auto chain) {
      const __m256i a = broadcast2(x + chain * 2);
      const uint8_t* w = weights + chain * 64;
      acc[chain][0] = _mm256_add_epi32(acc[chain][0], _mm256_madd_epi16(a, load(w)));
      acc[chain][1] = _mm256_add_epi32(acc[chain][1], _mm256_madd_epi16(a, load(w + 32)));
    });
  }
  for (; weights < end; weights += 64, x += 2) {
    const __m256i a = broadcast2(x);
    acc[0][0] = _mm256_add_epi32(acc[0][0], _mm256_madd_epi16(a, load(weights)));
    acc[0][1] = _mm256_add_epi32(acc[0][1], _mm256_madd_epi16(a, load(weights + 32)));
  }
  __m256i q[2];
  unroll<2>([&](auto half) {
    const __m256i low = _mm256_add_epi32(acc[0][half], acc[1][half]);
    const __m256i sum = _mm256_add_epi32(low, _mm256_add_epi32(acc[2][half], acc[3][half]));
    q[half] = panel.requantizer.round(sum, _mm256_castsi256_ps(load(panel.block + 64 + half * 32)));
  });
  store_bytes(y, panel.requantizer.narrow(q[0], q[1]), panel.channels);
}

}  // namespace

void fc_s8_avx2(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile) {
  const size_t stride = fc_s8_scratch_stride(shape, sizeof(int16_t)) / sizeof(int16_t);
  const size_t block_bytes = gemm_block_bytes(kFcS8Avx2Format, {1, shape.inputs});
  int16_t* rows = static_cast<int16_t*>(args.scratch);
  Panel panel = {nullptr,
                 1,
                 1,
                 0,
                 0,
                 gemm_run_groups(kFcS8Avx2Format, shape.inputs),
                 static_cast<ptrdiff_t>(stride),
                 args.y_stride,
                 0,
                 Requantizer(args.range),
                 nullptr};
  const int64_t at_once = fc_s8_scratch_rows(shape);
  for (int64_t row = tile.begin; row < tile.end; row += at_once) {
    const int64_t count = tile.end - row < at_once ? tile.end - row : at_once;
    for (int64_t i = 0; i < count; i++) {
      copy_as_s16(rows + i * stride, args.x + (row + i) * args.x_stride, shape.inputs);
      rows[i * stride + shape.inputs] = 0;  // read with weights of 0
    }
    for (int32_t block = tile.block_begin; block < tile.block_end; block++) {
      const int32_t left = shape.outputs - block * 16;
      panel.block = static_cast<const uint8_t*>(args.packed) + block * block_bytes;
      panel.channels = left < 16 ? left : 16;
      int8_t* y = args.y + row * args.y_stride + block * 16;
      if (count == 1) {
        run_row(panel, rows, y);
      } else {
        run_pixels(panel, rows, count, y);
      }
    }
  }
}

}  // namespace hone
