// Counts the blocks of the C heap of this process, and lets allocations fail on demand. Every way to the heap
// passes here: operator new calls malloc. Sanitizers bring a heap of their own, which is not counted.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__has_feature)
#define HONE_FEATURE(name) __has_feature(name)
#else
#define HONE_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HONE_FEATURE(address_sanitizer) || \
    HONE_FEATURE(thread_sanitizer)
#define HONE_COUNTS_HEAP 0
#else
#define HONE_COUNTS_HEAP 1
#endif

namespace hone {

/// Allocations since the start.
extern std::atomic<uint64_t> heap_allocations;
/// Blocks that are not freed yet.
extern std::atomic<int64_t> heap_live_blocks;
/// Allocations that still succeed; negative: all.
extern std::atomic<int64_t> heap_allowance;

}  // namespace hone
