#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "native/engine/plan.h"

namespace hone {

/// splitmix64, so that inputs are the same on every machine.
inline uint64_t next_random(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Fills zeroed bytes: floats in [-1, 1) with 24 bits; any byte; small int32 and int64; truth values.
inline void fill_random(PlanType type, uint64_t* state, std::vector<uint8_t>* bytes) {
  for (size_t i = 0; i < bytes->size(); i += static_cast<size_t>(element_bytes(type))) {
    const uint64_t bits = next_random(state);
    if (type == PlanType::kFloat32) {
      const float value = static_cast<float>(static_cast<int64_t>(bits >> 40) - (1 << 23)) / (1 << 23);
      std::memcpy(bytes->data() + i, &value, 4);
    } else if (type == PlanType::kInt32) {
      const int32_t value = static_cast<int32_t>(bits % 1000);
      std::memcpy(bytes->data() + i, &value, 4);
    } else {
      (*bytes)[i] = static_cast<uint8_t>(type == PlanType::kBool ? bits & 1 : bits);
    }
  }
}

/// Reads a file of exactly as many bytes as there are.
inline bool read_raw(const std::string& path, std::vector<uint8_t>* bytes) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  const bool whole = std::fseek(file, 0, SEEK_END) == 0 &&
                     std::ftell(file) == static_cast<long>(bytes->size()) &&
                     std::fseek(file, 0, SEEK_SET) == 0 &&
                     std::fread(bytes->data(), 1, bytes->size(), file) == bytes->size();
  std::fclose(file);
  return whole;
}

}  // namespace hone
