#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace hone {

inline constexpr size_t kBufferAlignment = 64;

/// Zeroed memory at a 64-byte boundary. Large blocks come from the operating system untouched, so that pages
/// which no kernel writes cost nothing.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept { *this = std::move(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() { std::free(block_); }

  /// False when there is no memory; the earlier content is gone either way.
  [[nodiscard]] bool allocate(size_t size) {
    std::free(block_);
    block_ = nullptr;
    data_ = nullptr;
    size_ = 0;
    if (size == 0) return true;
    if (size > SIZE_MAX - kBufferAlignment) return false;
    block_ = std::calloc(size + kBufferAlignment, 1);
    if (block_ == nullptr) return false;
    data_ = static_cast<uint8_t*>(block_) + (0 - reinterpret_cast<uintptr_t>(block_)) % kBufferAlignment;
    size_ = size;
    return true;
  }

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void* block_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace hone
