#include <cstring>

#include "native/kernels/fill/fill.h"
#include "native/kernels/row_parts.h"

namespace hone {
namespace {

template <typename Element>
void fill_elements(uint8_t* y, uint64_t value, int64_t begin, int64_t end) {
  const Element element = static_cast<Element>(value);
  for (int64_t i = begin; i < end; i++)
    memcpy(y + i * static_cast<int64_t>(sizeof(Element)), &element, sizeof(Element));
}

}  // namespace

void fill_ref(const FillArgs& args, const Tile& tile) {
  // A copy: y may hold anything, args included, as far as the compiler knows.
  const uint64_t value = args.value;
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    uint8_t* y = args.y + row * args.y_stride * args.element_bytes;
    switch (args.element_bytes) {
      case 1:
        memset(y + begin, static_cast<int>(value & 255), static_cast<size_t>(end - begin));
        return;
      case 2:
        return fill_elements<uint16_t>(y, value, begin, end);
      case 4:
        return fill_elements<uint32_t>(y, value, begin, end);
      default:
        return fill_elements<uint64_t>(y, value, begin, end);
    }
  });
}

}  // namespace hone
