#include "native/tools/counted_heap.h"

#include <cstddef>

namespace hone {

std::atomic<uint64_t> heap_allocations{0};
std::atomic<int64_t> heap_live_blocks{0};
std::atomic<int64_t> heap_allowance{-1};

}  // namespace hone

#if HONE_COUNTS_HEAP
namespace {

using hone::heap_allocations;
using hone::heap_allowance;
using hone::heap_live_blocks;

/// Counts one allocation; false when it has to fail.
bool take_allocation() {
  heap_allocations.fetch_add(1, std::memory_order_relaxed);
  if (heap_allowance.load(std::memory_order_relaxed) < 0) return true;
  if (heap_allowance.load(std::memory_order_relaxed) == 0) return false;
  heap_allowance.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void* note_block(void* block) {
  if (block != nullptr) heap_live_blocks.fetch_add(1, std::memory_order_relaxed);
  return block;
}
}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names of the C library
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);

__attribute__((visibility("default"))) void* malloc(size_t size) {
  return take_allocation() ? note_block(__libc_malloc(size)) : nullptr;
}
__attribute__((visibility("default"))) void* calloc(size_t count, size_t size) {
  return take_allocation() ? note_block(__libc_calloc(count, size)) : nullptr;
}
__attribute__((visibility("default"))) void* realloc(void* block, size_t size) {
  if (!take_allocation()) return nullptr;
  void* moved = __libc_realloc(block, size);
  if (block == nullptr) note_block(moved);
  return moved;
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t size) {
  return take_allocation() ? note_block(__libc_memalign(alignment, size)) : nullptr;
}
__attribute__((visibility("default"))) void free(void* block) {
  if (block != nullptr) heap_live_blocks.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(block);
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
#endif
