#include <type_traits>

#include "native/kernels/top_k/top_k.h"
#include "native/kernels/typed.h"

namespace hone {
namespace {

/// A heap of elements with their places, the worst on top.
template <typename T, bool kSmallest>
struct Heap {
  T* values;
  int64_t* places;

  /// Whether an element stands behind another in the result.
  static bool is_worse(T a, int64_t a_place, T b, int64_t b_place) {
    const bool a_unknown = a != a, b_unknown = b != b;
    if (a_unknown != b_unknown) return a_unknown;
    if (a == b || a_unknown) return a_place > b_place;
    return kSmallest ? a > b : a < b;
  }

  /// Puts an element in the place of the top one of `count` and lets it sink.
  void replace_top(T value, int64_t place, int64_t count) const {
    int64_t at = 0;
    for (;;) {
      int64_t child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && is_worse(values[child + 1], places[child + 1], values[child], places[child]))
        child++;
      if (!is_worse(values[child], places[child], value, place)) break;
      values[at] = values[child];
      places[at] = places[child];
      at = child;
    }
    values[at] = value;
    places[at] = place;
  }

  /// Adds an element to `count`.
  void rise(T value, int64_t place, int64_t count) const {
    int64_t at = count;
    while (at > 0) {
      const int64_t parent = (at - 1) / 2;
      if (!is_worse(value, place, values[parent], places[parent])) break;
      values[at] = values[parent];
      places[at] = places[parent];
      at = parent;
    }
    values[at] = value;
    places[at] = place;
  }
};

template <typename T, bool kSmallest>
void find_row(const Heap<T, kSmallest>& heap, const T* x, int64_t length, int64_t count) {
  for (int64_t i = 0; i < count; i++) heap.rise(x[i], i, i);
  for (int64_t i = count; i < length; i++)
    if (heap.is_worse(heap.values[0], heap.places[0], x[i], i)) heap.replace_top(x[i], i, count);
  // The worst goes to the end, again and again.
  for (int64_t left = count - 1; left > 0; left--) {
    const T value = heap.values[left];
    const int64_t place = heap.places[left];
    heap.values[left] = heap.values[0];
    heap.places[left] = heap.places[0];
    heap.replace_top(value, place, left);
  }
}

template <bool kSmallest>
void find_rows(const TopKArgs& args, const Tile& tile) {
  with_type(args.type, [&](auto type) {
    using T = decltype(type);
    if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, Truth>) {
      for (int64_t row = tile.begin; row < tile.end; row++) {
        const Heap<T, kSmallest> heap = {static_cast<T*>(args.y) + row * args.count,
                                         args.places + row * args.count};
        find_row(heap, static_cast<const T*>(args.x) + row * args.length, args.length, args.count);
      }
    }
  });
}

}  // namespace

void top_k_ref(const TopKArgs& args, const Tile& tile) {
  if (args.smallest) return find_rows<true>(args, tile);
  find_rows<false>(args, tile);
}

}  // namespace hone
