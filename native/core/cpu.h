#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "native/core/status.h"

namespace hone {

/// Set of instruction-set words; `ref` is the empty set. Each word is also file suffix, table row suffix and HONE_CPU word.
using CpuFeatures = uint32_t;
inline constexpr CpuFeatures kCpuRef = 0;
inline constexpr CpuFeatures kCpuAvx2 = 1u << 0;        ///< AVX2 (kernels that need fma say so with kCpuFma)
inline constexpr CpuFeatures kCpuFma = 1u << 1;         ///< x86 FMA3; comes with the word `avx2`
inline constexpr CpuFeatures kCpuAvx512Vnni = 1u << 2;  ///< AVX-512 F, BW, VL, DQ and VNNI, all of them
inline constexpr CpuFeatures kCpuNeon = 1u << 3;        ///< Armv8-A Advanced SIMD
inline constexpr CpuFeatures kCpuNeonDotprod = 1u << 4;
inline constexpr CpuFeatures kCpuNeonI8mm = 1u << 5;

/// Features of this CPU that the operating system lets programs use.
CpuFeatures detect_cpu();

/// Parses `ref` or a comma-separated list of words, as in HONE_CPU; empty means all of `available`.
/// Unknown and unavailable words are errors that name the words offered. A word implies the words below it
/// (`avx512vnni` implies `avx2`; `neon_i8mm` implies `neon_dotprod` implies `neon`).
[[nodiscard]] Status parse_cpu_mask(std::string_view text, CpuFeatures available, CpuFeatures* mask);

/// Words of a set, best last, comma-separated; `ref` for the empty set.
std::string describe_cpu(CpuFeatures features);

}  // namespace hone
