#pragma once
#include <cstdint>

#include "native/core/tile.h"

namespace hone {
namespace {

/// An operand that begins anew every few elements, written out often enough for loops over it to be long.
template <typename T>
class LongRepeat {
 public:
  /// `items`: how many elements of it are wanted.
  LongRepeat(const T* x, int64_t period, int64_t items) : data_(x), period_(period) {
    if (period > kShort || items < 4 * kWritten) return;
    period_ = kWritten / period * period;
    for (int64_t i = 0; i < period_; i++) written_[i] = i < period ? x[i] : written_[i - period];
    data_ = written_;
  }
  LongRepeat(const LongRepeat&) = delete;
  LongRepeat& operator=(const LongRepeat&) = delete;

  const T* data() const { return data_; }
  int64_t period() const { return period_; }

 private:
  static constexpr int64_t kShort = 64, kWritten = 256;
  const T* data_;
  int64_t period_;
  T written_[kWritten];
};

/// Tells the compiler of the next loop that an iteration reads nothing that another one writes: an output is
/// an operand, element for element, or none of it.
#if defined(__clang__)
#define HONE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define HONE_INDEPENDENT _Pragma("GCC ivdep")
#endif

/// Cuts a tile where an operand of `period` elements begins anew: run(begin, end, at), `at` the place in it.
template <typename Run>
inline void for_each_repeat(int64_t begin, int64_t end, int64_t period, const Run& run) {
  int64_t at = begin % period;
  for (int64_t i = begin; i < end; at = 0) {
    const int64_t count = end - i < period - at ? end - i : period - at;
    run(i, i + count, at);
    i += count;
  }
}

}  // namespace
}  // namespace hone
