#pragma once
#include <cstdint>

namespace hone {

/// The part of a node's output that one kernel call computes. What an item is (an output pixel, a row, an
/// element), and what a block is (a group of output channels), is said in each kernel's header. Half-open
/// ranges.
struct Tile {
  int64_t begin;
  int64_t end;
  int32_t block_begin;
  int32_t block_end;
};

}  // namespace hone
