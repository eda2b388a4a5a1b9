#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include "native/engine/aligned_buffer.h"

namespace hone {

/// Packed weights, 64-byte aligned: made by a packer, or a part of a mapped cache file.
class PackedBlock {
 public:
  PackedBlock() = default;
  /// A part of `owner`, which stays as long as the block.
  PackedBlock(const uint8_t* data, size_t size, std::shared_ptr<const void> owner)
      : data_(data), size_(size), owner_(std::move(owner)) {}
  PackedBlock(const PackedBlock&) = delete;
  PackedBlock& operator=(const PackedBlock&) = delete;

  /// Zeros, to be filled; null when there is no memory.
  [[nodiscard]] uint8_t* allocate(size_t size) {
    if (!made_.allocate(size)) return nullptr;
    data_ = made_.data();
    size_ = size;
    return made_.data();
  }

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  /// Whether it lies in a cache file.
  bool is_mapped() const { return owner_ != nullptr; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  AlignedBuffer made_;
  std::shared_ptr<const void> owner_;
};

}  // namespace hone
