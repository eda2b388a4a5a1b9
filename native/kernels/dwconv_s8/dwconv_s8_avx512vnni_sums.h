#pragma once
#include <cstdint>

#include "native/kernels/unroll.h"
#include "native/kernels/x86_intrinsics.h"

/// Sums of the windows of a depthwise convolution, by channel, by which zero points of its weights are
/// multiplied.
namespace hone {
namespace {

/// Which kernel rows are summed: zero points of the weights are multiplied by the sums.
enum class Sums {
  kNone,    ///< there are no zero points
  kSingle,  ///< those without a second place
  kAll,     ///< all, where no row has one (kPackedWide)
};

/// What of a group of four rows is summed: 1 for the first two, 2 for the others.
constexpr int summed_pairs(Sums sums, int32_t kernel_h, int32_t first_row) {
  const int32_t rows = kernel_h - first_row;
  if (sums == Sums::kNone) return 0;
  if (sums == Sums::kAll) return rows > 2 ? 3 : 1;
  if (rows == 5) return 2;
  return rows > 3 ? 3 : rows == 3 ? 1 : 0;
}

/// Sums of x by channel in 16 bits: the channels of v[0] and v[1], then those of v[2] and v[3].
struct TapSums {
  __m512i low = _mm512_setzero_si512(), high = _mm512_setzero_si512();

  /// By members: a copy of the whole would stay in memory.
  void set(const TapSums& other) {
    low = other.low;
    high = other.high;
  }
  void add(const TapSums& more) {
    low = _mm512_add_epi16(low, more.low);
    high = _mm512_add_epi16(high, more.high);
  }
  void subtract(const TapSums& less) {
    low = _mm512_sub_epi16(low, less.low);
    high = _mm512_sub_epi16(high, less.high);
  }
  /// Two rows, interleaved.
  void add_rows(__m512i interleaved_low, __m512i interleaved_high) {
    const __m512i ones = _mm512_set1_epi8(1);
    add({_mm512_maddubs_epi16(interleaved_low, ones), _mm512_maddubs_epi16(interleaved_high, ones)});
  }
};

/// Taps whose sum is below 2^15.
constexpr int32_t kMostTaps = 128;

/// The zero points of a block's weights, negated, twice in each dword: dpwssd multiplies two sums at once.
struct ZeroPoints {
  __m512i negative[4];

  void load(const uint8_t* block) {
    unroll<4>([&](auto j) {
      const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 512 + j * 32));
      const __m512i low = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_cvtepi16_epi32(words));
      negative[j] = _mm512_mask_mov_epi16(_mm512_slli_epi32(low, 16), 0x55555555, low);
    });
  }
  void subtract(const TapSums& a, const TapSums& b, __m512i (&acc)[4]) const {
    acc[0] = _mm512_dpwssd_epi32(acc[0], _mm512_unpacklo_epi16(a.low, b.low), negative[0]);
    acc[1] = _mm512_dpwssd_epi32(acc[1], _mm512_unpackhi_epi16(a.low, b.low), negative[1]);
    acc[2] = _mm512_dpwssd_epi32(acc[2], _mm512_unpacklo_epi16(a.high, b.high), negative[2]);
    acc[3] = _mm512_dpwssd_epi32(acc[3], _mm512_unpackhi_epi16(a.high, b.high), negative[3]);
  }
  /// The same for sums that are dwords below 2^15.
  void subtract(const __m512i (&sums)[4], __m512i (&acc)[4]) const {
    unroll<4>([&](auto j) { acc[j] = _mm512_dpwssd_epi32(acc[j], sums[j], negative[j]); });
  }
};

/// Sums of windows that share columns: `steps` columns and a last one, one window a column apart from the
/// next. Columns wait in memory, because there are no registers for them beside those of the products.
class ColumnSums {
 public:
  /// In memory apart: the members of an object with an array would not stay in registers.
  struct Memory {
    static constexpr int32_t kMostSteps = 8;
    alignas(64) uint8_t columns[kMostSteps][128];
  };

  ColumnSums(Memory& memory, int32_t steps) : columns_(memory.columns), steps_(steps) {}
  /// The columns before the last of the first window, in order.
  void begin(int32_t tap, const TapSums& column) {
    _mm512_store_si512(columns_[tap], column.low);
    _mm512_store_si512(columns_[tap] + 64, column.high);
    before_.add(column);
  }
  /// Takes the products of the window that ends with `column` out of `acc`.
  void subtract(const TapSums& column, const ZeroPoints& zero_points, __m512i (&acc)[4]) {
    zero_points.subtract(before_, column, acc);
    uint8_t* oldest = columns_[oldest_];
    before_.add(column);
    before_.subtract({_mm512_load_si512(oldest), _mm512_load_si512(oldest + 64)});
    _mm512_store_si512(oldest, column.low);
    _mm512_store_si512(oldest + 64, column.high);
    oldest_ = oldest_ + 1 == steps_ ? 0 : oldest_ + 1;
  }

 private:
  uint8_t (*columns_)[128];
  TapSums before_;
  int32_t steps_, oldest_ = 0;
};

/// As ColumnSums for windows that are kStride columns apart: kSteps times so many columns and a last one.
template <int kSteps, int kStride>
class SlidingSums : public ColumnSums {
 public:
  static_assert(kStride == 1);
  explicit SlidingSums(Memory& memory) : ColumnSums(memory, kSteps) {}
  void add(const TapSums&) {}
};
/// In registers, where steps are so few.
template <int kStride>
class SlidingSums<2, kStride> {
 public:
  explicit SlidingSums(ColumnSums::Memory&) {}
  void begin(int32_t tap, const TapSums& column) { (tap < kStride ? before_ : step_).add(column); }
  /// A column of the step before the last column.
  void add(const TapSums& column) { step_.add(column); }
  void subtract(const TapSums& column, const ZeroPoints& zero_points, __m512i (&acc)[4]) {
    before_.add(step_);
    zero_points.subtract(before_, column, acc);
    before_.set(step_);
    step_.set(column);
  }

 private:
  TapSums before_, step_;
};
template <int kStride>
class SlidingSums<1, kStride> {
 public:
  explicit SlidingSums(ColumnSums::Memory&) {}
  void begin(int32_t, const TapSums& column) { step_.add(column); }
  void add(const TapSums& column) { step_.add(column); }
  void subtract(const TapSums& column, const ZeroPoints& zero_points, __m512i (&acc)[4]) {
    zero_points.subtract(step_, column, acc);
    step_.set(column);
  }

 private:
  TapSums step_;
};
/// Without shared columns.
template <int kStride>
class SlidingSums<0, kStride> {
 public:
  explicit SlidingSums(ColumnSums::Memory&) {}
  void begin(int32_t, const TapSums&) {}
  void add(const TapSums& column) { step_.add(column); }
  void subtract(const TapSums& column, const ZeroPoints& zero_points, __m512i (&acc)[4]) {
    zero_points.subtract(step_, column, acc);
    step_.set({});
  }

 private:
  TapSums step_;
};

}  // namespace
}  // namespace hone
