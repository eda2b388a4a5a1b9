#include "native/kernels/repeats.h"
#include "native/kernels/select/select.h"
#include "native/kernels/typed.h"

namespace hone {
namespace {

template <typename T>
void select_elements(const SelectArgs& args, const Tile& tile) {
  T* const y = static_cast<T*>(args.y);
  const T* const a = static_cast<const T*>(args.a);
  const T* const b = static_cast<const T*>(args.b);
  for_each_repeat(tile.begin, tile.end, args.condition_count, [&](int64_t begin, int64_t end, int64_t at) {
    const uint8_t* const condition = args.condition + at - begin;
    for_each_repeat(begin, end, args.a_count, [&](int64_t a_begin, int64_t a_end, int64_t a_at) {
      for_each_repeat(a_begin, a_end, args.b_count, [&](int64_t from, int64_t to, int64_t b_at) {
        const T* const left = a + a_at + (from - a_begin) - from;
        const T* const right = b + b_at - from;
        for (int64_t i = from; i < to; i++) y[i] = condition[i] != 0 ? left[i] : right[i];
      });
    });
  });
}

}  // namespace

void select_ref(const SelectArgs& args, const Tile& tile) {
  with_bytes(args.element_bytes, [&](auto type) { select_elements<decltype(type)>(args, tile); });
}

}  // namespace hone
