#include "native/kernels/fc_coded_s8/fc_coded_s8_blocks.h"
#include "native/kernels/gemm_s8_avx512vnni.h"

namespace hone {
namespace {

struct VnniKernel {
  using Element = uint8_t;
  const OutputRange& range;

  void copy(uint8_t* to, const int8_t* from, int32_t count) const { copy_as_u8(to, from, count); }

  template <int kRows>
  void multiply(const CodedBlock<uint8_t>& work) const {
    const __m512i table =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(work.table)));
    const __m512i halves = _mm512_set1_epi8(15);
    // Sums that take turns, so that products do not wait for one another.
    constexpr int kChains = kRows == 1 ? 4 : 2;
    __m512i acc[kRows][kChains];
    unroll<kRows>([&](auto row) {
      acc[row][0] = _mm512_loadu_si512(work.block);
      unroll<kChains - 1>([&](auto chain) { acc[row][1 + chain] = _mm512_setzero_si512(); });
    });
    const uint8_t* codes = work.block + kCodedHeadBytes;
    const uint8_t* x = work.x;
    const auto step = [&](auto chain) {
      const __m512i both = _mm512_loadu_si512(codes);
      const __m512i low = _mm512_and_si512(both, halves);
      const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), halves);
      const __m512i w0 = _mm512_shuffle_epi8(table, low), w1 = _mm512_shuffle_epi8(table, high);
      unroll<kRows>([&](auto row) {
        const uint8_t* from = x + row * work.x_stride;
        acc[row][chain] = _mm512_dpbusd_epi32(acc[row][chain], broadcast4(from), w0);
        acc[row][chain + 1] = _mm512_dpbusd_epi32(acc[row][chain + 1], broadcast4(from + 4), w1);
      });
      codes += 64;
      x += 8;
    };
    int64_t pair = 0;
    if constexpr (kChains == 4) {
      for (; pair + 2 <= work.pairs; pair += 2) unroll<2>([&](auto turn) { step(Chain<2 * turn>{}); });
    }
    for (; pair < work.pairs; pair++) step(Chain<0>{});
    __m512i sum[kRows][1];
    unroll<kRows>([&](auto row) {
      sum[row][0] = acc[row][0];
      unroll<kChains - 1>(
          [&](auto chain) { sum[row][0] = _mm512_add_epi32(sum[row][0], acc[row][1 + chain]); });
    });
    const Panel panel = {work.block,         0,       1,      1, 0, 0, 0, 0, work.y_stride, work.channels,
                         Requantizer(range), nullptr, nullptr};
    finish_panel<1, kRows>(panel, sum, 0, work.y);
  }

 private:
  template <int kIndex>
  struct Chain {
    constexpr operator int() const { return kIndex; }
  };
};

}  // namespace

void fc_coded_s8_avx512vnni(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile) {
  run_coded(kFcCodedAvx512VnniFormat, shape, args, tile, VnniKernel{args.range});
}

}  // namespace hone
