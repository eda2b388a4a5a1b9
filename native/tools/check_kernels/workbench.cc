#include "native/tools/check_kernels/workbench.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace hone::check {
namespace {

constexpr uint8_t kCanary = 0xA5;

size_t page_size() {
  static const size_t kBytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return kBytes;
}

[[noreturn]] void die(const char* what) {
  perror(what);
  abort();
}

}  // namespace

uint64_t Rng::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

int64_t Rng::between(int64_t lo, int64_t hi) {
  return lo + static_cast<int64_t>(next() % (static_cast<uint64_t>(hi - lo) + 1));
}

double Rng::unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

Workbench::Workbench(uint64_t seed, Fill fill, Placement placement)
    : rng_(seed), fill_(fill), placement_(placement), constant_(static_cast<uint8_t>(rng_.next())) {
  static constexpr uint8_t kInteresting[] = {0x80, 0x81, 0x00, 0x7F, 0xFF};
  if (rng_.chance(0.5)) constant_ = rng_.pick(kInteresting);
}

Workbench::~Workbench() {
  for (const Block& block : blocks_) munmap(block.base, block.page_bytes + 2 * page_size());
}

uint8_t* Workbench::allocate(size_t bytes, size_t alignment, Use use) {
  const size_t page = page_size();
  // 64-byte alignment is a promise of the engine; anything less is not, so those buffers also stand at odd
  // places.
  const bool odd = placement_ == Placement::kMisaligned && alignment < 64;
  const size_t offset = odd ? static_cast<size_t>(rng_.between(1, 63)) * alignment
                        : placement_ == Placement::kRoomy ? 64 * static_cast<size_t>(rng_.between(1, 8))
                                                          : 0;
  const size_t margin = placement_ == Placement::kRoomy ? 128 : alignment;
  const size_t page_bytes = (bytes + offset + margin + page - 1) / page * page;
  void* base = mmap(nullptr, page_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) die("mmap");
  uint8_t* begin = static_cast<uint8_t*>(base) + page;
  if (mprotect(begin, page_bytes, PROT_READ | PROT_WRITE) != 0) die("mprotect");
  uint8_t* data = begin;
  if (offset != 0) {
    data = begin + offset;
  } else if (alignment == 64 || rng_.chance(0.75)) {
    data = begin + (page_bytes - bytes) / alignment * alignment;  // ends at the upper guard page
  }
  memset(begin, kCanary, page_bytes);
  for (size_t i = 0; i < bytes; i++) data[i] = static_cast<uint8_t>(rng_.next());
  blocks_.push_back({static_cast<uint8_t*>(base), page_bytes, data, bytes, use});
  return data;
}

void Workbench::fill_bytes(void* data, size_t count) {
  static constexpr int8_t kExtremes[] = {-128, -127, -1, 0, 1, 126, 127};
  uint8_t* bytes = static_cast<uint8_t*>(data);
  for (size_t i = 0; i < count; i++) {
    switch (fill_) {
      case Fill::kRandom:
        bytes[i] = static_cast<uint8_t>(rng_.next());
        break;
      case Fill::kExtreme:
        bytes[i] = static_cast<uint8_t>(rng_.pick(kExtremes));
        break;
      case Fill::kConstant:
        bytes[i] = constant_;
        break;
    }
  }
}

void Workbench::fill_floats(float* data, size_t count, float spread, bool allow_nan) {
  using Limits = std::numeric_limits<float>;
  static constexpr float kExtremes[] = {0.0f,
                                        -0.0f,
                                        Limits::denorm_min(),
                                        -Limits::denorm_min(),
                                        1.0f,
                                        -1.0f,
                                        Limits::max(),
                                        Limits::lowest(),
                                        Limits::min(),
                                        0.5f,
                                        -2.5f,
                                        1e30f,
                                        1.0f / 3,
                                        Limits::infinity(),
                                        -Limits::infinity(),
                                        Limits::quiet_NaN()};
  const float constant = spread * static_cast<float>(static_cast<int8_t>(constant_)) / 64;
  for (size_t i = 0; i < count; i++) {
    switch (fill_) {
      case Fill::kRandom: {
        double sum = -6;  // twelve uniform numbers: close enough to normal
        for (int j = 0; j < 12; j++) sum += rng_.unit();
        data[i] = spread * static_cast<float>(sum);
        break;
      }
      case Fill::kExtreme:
        do data[i] = rng_.pick(kExtremes);
        while (!allow_nan && std::isnan(data[i]));
        break;
      case Fill::kConstant:
        data[i] = constant;
        break;
    }
  }
}

size_t Workbench::span(const Output& output) {
  return output.rows == 0 ? 0 : (output.rows - 1) * output.stride + output.row_bytes;
}

void Workbench::protect(const Block& block, int protection) const {
  if (mprotect(block.base + page_size(), block.page_bytes, protection) != 0) die("mprotect");
}

void Workbench::seal() {
  for (const Block& block : blocks_)
    if (block.use == Use::kInput) protect(block, PROT_READ);
  if (sealed_) return;
  for (Output& output : outputs_) output.initial.assign(output.data, output.data + span(output));
  sealed_ = true;
}

void Workbench::unseal() {
  for (const Block& block : blocks_) protect(block, PROT_READ | PROT_WRITE);
}

void Workbench::restore() {
  for (const Output& output : outputs_) {
    if (!output.initial.empty()) memcpy(output.data, output.initial.data(), output.initial.size());
  }
  for (const Block& block : blocks_) {
    if (block.use != Use::kScratch) continue;
    const uint64_t noise = rng_.next();
    for (size_t i = 0; i < block.bytes; i++)
      block.data[i] = static_cast<uint8_t>(noise >> (i % 8 * 8)) ^ static_cast<uint8_t>(i);
  }
  for (const Gaps& gaps : gaps_) {
    const Block& block = blocks_[gaps.block];
    protect(block, PROT_READ | PROT_WRITE);
    for (size_t row = 0; row + 1 < gaps.rows; row++)
      for (size_t i = row * gaps.stride + gaps.row_bytes; i < (row + 1) * gaps.stride; i++)
        block.data[i] = static_cast<uint8_t>(rng_.next());
    protect(block, PROT_READ);
  }
}

std::string Workbench::find_stray_write() const {
  for (const Block& block : blocks_) {
    const uint8_t* begin = block.base + page_size();
    const uint8_t* end = begin + block.page_bytes;
    for (const uint8_t* p = begin; p < end; p++) {
      if (p == block.data) p += block.bytes;
      if (p < end && *p != kCanary) {
        const char* what = block.use == Use::kScratch ? "scratch"
                           : block.use == Use::kInput ? "input"
                                                      : "output";
        return std::string("writes ") + std::to_string(p - block.data) + " bytes from the start of an " +
               what + " of " + std::to_string(block.bytes) + " bytes";
      }
    }
  }
  for (const Output& output : outputs_) {
    for (size_t row = 0; row + 1 < output.rows; row++) {
      for (size_t i = row * output.stride + output.row_bytes; i < (row + 1) * output.stride; i++) {
        if (output.data[i] != output.initial[i])
          return "writes into the gap behind output row " + std::to_string(row);
      }
    }
  }
  return {};
}

}  // namespace hone::check
