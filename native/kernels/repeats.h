#pragma once
#include <cstdint>

#include "native/core/tile.h"

namespace hone {
namespace {

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
