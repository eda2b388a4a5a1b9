#include "native/kernels/x86_intrinsics.h"

#include "native/kernels/matmul_s8/matmul_s8_simd.h"

namespace hone {
namespace {

/// Sums of 16 columns in one register.
struct WideSums {
  using Sum = __m512i;
  using Pairs = __m512i;
  static constexpr int kRows = 12;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Pairs load(const int16_t* p) { return _mm512_loadu_si512(p); }
  static void add(Sum* sum, Pairs pairs, const int16_t* x) {
    int32_t pair;
    __builtin_memcpy(&pair, x, 4);
    *sum = _mm512_dpwssd_epi32(*sum, pairs, _mm512_set1_epi32(pair));
  }
  static F32x16 to_floats(Sum sum) {
    return {{_mm256_cvtepi32_ps(_mm512_castsi512_si256(sum)),
             _mm256_cvtepi32_ps(_mm512_extracti64x4_epi64(sum, 1))}};
  }
};

}  // namespace

void matmul_s8_avx512vnni(const MatmulS8Args& args, const Tile& tile) { multiply_tile<WideSums>(args, tile); }

}  // namespace hone
