#pragma once
#include "native/kernels/repeats.h"
#include "native/kernels/select/select.h"
#include "native/kernels/typed.h"

/// What every row of select compiles for its instruction set: plain loops, which compilers vectorize.
namespace hone {
namespace {

template <typename T>
void select_elements(const SelectArgs& args, const Tile& tile) {
  T* const y = static_cast<T*>(args.y);
  const int64_t items = tile.end - tile.begin;
  const LongRepeat<uint8_t> c(args.condition, args.condition_count, items);
  const LongRepeat<T> a(static_cast<const T*>(args.a), args.a_count, items);
  const LongRepeat<T> b(static_cast<const T*>(args.b), args.b_count, items);
  for_each_repeat(tile.begin, tile.end, c.period(), [&](int64_t begin, int64_t end, int64_t at) {
    const uint8_t* const condition = c.data() + at - begin;
    for_each_repeat(begin, end, a.period(), [&](int64_t a_begin, int64_t a_end, int64_t a_at) {
      for_each_repeat(a_begin, a_end, b.period(), [&](int64_t from, int64_t to, int64_t b_at) {
        const T* const left = a.data() + a_at - a_begin;
        const T* const right = b.data() + b_at - from;
        HONE_INDEPENDENT
        for (int64_t i = from; i < to; i++) y[i] = condition[i] != 0 ? left[i] : right[i];
      });
    });
  });
}

inline void select_tile(const SelectArgs& args, const Tile& tile) {
  with_bytes(args.element_bytes, [&](auto type) { select_elements<decltype(type)>(args, tile); });
}

}  // namespace
}  // namespace hone
