#pragma once
#include <cstdint>

namespace hone {

/// Set of instruction-set words; `ref` is the empty set. Each word is also file suffix, table row suffix and
/// HONE_CPU word.
using CpuFeatures = uint32_t;
inline constexpr CpuFeatures kCpuRef = 0;
inline constexpr CpuFeatures kCpuAvx2 = 1u << 0;        ///< AVX2 (kernels that need fma say so with kCpuFma)
inline constexpr CpuFeatures kCpuFma = 1u << 1;         ///< x86 FMA3; comes with the word `avx2`
inline constexpr CpuFeatures kCpuAvx512Vnni = 1u << 2;  ///< AVX-512 F, BW, VL, DQ and VNNI, all of them
inline constexpr CpuFeatures kCpuNeon = 1u << 3;        ///< Armv8-A Advanced SIMD
inline constexpr CpuFeatures kCpuNeonDotprod = 1u << 4;
inline constexpr CpuFeatures kCpuNeonI8mm = 1u << 5;

}  // namespace hone
