#pragma once
#include <cstddef>
#include <cstdint>
#include <map>

#include "native/binding/napi_setup.h"

namespace hone {

/// What the garbage collector of one JavaScript environment knows of memory outside its heap. Blocks that
/// sessions share (a plan, packed weights) count once, as long as one of these sessions lives: a collector
/// that hears of them with each session collects for memory that nobody has.
class MemoryLedger {
 public:
  /// One more holder of `block`.
  void hold(Napi::Env env, const void* block, size_t bytes) {
    if (holders_[block]++ == 0) adjust(env, static_cast<int64_t>(bytes));
  }
  /// The holder is gone; of as many bytes as it said.
  void drop(Napi::Env env, const void* block, size_t bytes) {
    const auto found = holders_.find(block);
    if (found == holders_.end() || --found->second > 0) return;
    holders_.erase(found);
    adjust(env, -static_cast<int64_t>(bytes));
  }

 private:
  static void adjust(Napi::Env env, int64_t bytes) {
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  }

  std::map<const void*, size_t> holders_;
};

}  // namespace hone
