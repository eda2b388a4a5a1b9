#include "native/kernels/fc_coded_s8/fc_coded_s8_blocks.h"
#include "native/kernels/gemm_s8_avx2.h"

namespace hone {
namespace {

struct Avx2Kernel {
  using Element = int16_t;
  Requantizer requantizer;

  void copy(int16_t* to, const int8_t* from, int32_t count) const { copy_as_s16(to, from, count); }

  template <int kRows>
  void multiply(const CodedBlock<int16_t>& work) const {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(work.table));
    const __m128i halves = _mm_set1_epi8(15);
    __m256i acc[kRows][2];
    unroll<kRows>([&](auto row) {
      acc[row][0] = load(work.block);
      acc[row][1] = load(work.block + 32);
    });
    const uint8_t* codes = work.block + kCodedHeadBytes;
    const int16_t* x = work.x;
    for (int64_t pair = 0; pair < work.pairs; pair++, codes += 16, x += 2) {
      const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
      const __m128i low = _mm_and_si128(both, halves);
      const __m128i high = _mm_and_si128(_mm_srli_epi16(both, 4), halves);
      const __m256i w0 = _mm256_cvtepi8_epi16(_mm_shuffle_epi8(table, low));
      const __m256i w1 = _mm256_cvtepi8_epi16(_mm_shuffle_epi8(table, high));
      unroll<kRows>([&](auto row) {
        const __m256i a = broadcast2(x + row * work.x_stride);
        acc[row][0] = _mm256_add_epi32(acc[row][0], _mm256_madd_epi16(a, w0));
        acc[row][1] = _mm256_add_epi32(acc[row][1], _mm256_madd_epi16(a, w1));
      });
    }
    const __m256 m0 = _mm256_castsi256_ps(load(work.block + 64));
    const __m256 m1 = _mm256_castsi256_ps(load(work.block + 96));
    unroll<kRows>([&](auto row) {
      const __m256i low = requantizer.round(acc[row][0], m0), high = requantizer.round(acc[row][1], m1);
      store_bytes(work.y + row * work.y_stride, requantizer.narrow(low, high), work.channels);
    });
  }
};

}  // namespace

void fc_coded_s8_avx2(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile) {
  run_coded(kFcCodedAvx2Format, shape, args, tile, Avx2Kernel{Requantizer(args.range)});
}

}  // namespace hone
