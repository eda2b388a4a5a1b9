#pragma once
#include <cstdint>

#include "native/core/tile.h"

namespace hone {
namespace {

/// Cuts a tile of elements where rows of `length` elements end: part(row, begin, end), begin and end within
/// the row. Operands without gaps between rows are one row, however long: then the tile stays whole.
template <typename Part>
inline void for_each_row_part(const Tile& tile, int64_t length, const Part& part) {
  int64_t row = 0, begin = tile.begin;
  if (begin >= length) {
    row = begin / length;
    begin %= length;
  }
  for (int64_t left = tile.end - tile.begin; left > 0; row++, begin = 0) {
    const int64_t count = left < length - begin ? left : length - begin;
    part(row, begin, begin + count);
    left -= count;
  }
}

}  // namespace
}  // namespace hone
