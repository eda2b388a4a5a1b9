#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace hone {

/// Ticks that a node took, over the runs that were timed and did not leave it out. One addition to a counter
/// per run: a histogram of 8 buckets to each power of two, so that a percentile is told within a sixteenth.
class NodeTicks {
 public:
  void add(uint64_t ticks) {
    total_ += ticks;
    least_ = std::min(least_, ticks);
    ++runs_;
    ++counts_[bucket_of(ticks)];
  }

  uint64_t runs() const { return runs_; }
  double mean() const { return runs_ == 0 ? 0 : static_cast<double>(total_) / static_cast<double>(runs_); }
  double least() const { return runs_ == 0 ? 0 : static_cast<double>(least_); }
  /// What a share of the runs, above 0 and at most 1, took no more than; 0 without any.
  double percentile(double share) const {
    const double wanted = share * static_cast<double>(runs_);
    uint64_t seen = 0;
    for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (counts_[bucket] != 0 && static_cast<double>(seen) >= wanted) return middle_of(bucket);
    }
    return 0;
  }

 private:
  static constexpr uint32_t kParts = 8;
  static constexpr uint32_t kBuckets = kParts * 62;

  /// Small numbers have a bucket each.
  static uint32_t bucket_of(uint64_t ticks) {
    if (ticks < kParts) return static_cast<uint32_t>(ticks);
    const auto exponent = static_cast<uint32_t>(std::bit_width(ticks)) - 1;
    return (exponent - 2) * kParts + static_cast<uint32_t>(ticks >> (exponent - 3) & (kParts - 1));
  }
  static double middle_of(uint32_t bucket) {
    if (bucket < kParts) return bucket;
    const uint32_t exponent = bucket / kParts + 2;
    const double part = static_cast<double>(uint64_t{1} << (exponent - 3));
    return (static_cast<double>(kParts + bucket % kParts) + 0.5) * part;
  }

  uint64_t total_ = 0;
  uint64_t least_ = UINT64_MAX;
  uint64_t runs_ = 0;
  uint32_t counts_[kBuckets] = {};
};

}  // namespace hone
