#include "native/core/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace hone {
namespace {

/// One word of HONE_CPU: the features that it stands for, those below it included.
struct Word {
  std::string_view name;
  CpuFeatures own;
  CpuFeatures with_implied;
};

constexpr CpuFeatures kAvx2Word = kCpuAvx2 | kCpuFma;

// A word counts as available when all of its own features are; weakest first.
constexpr Word kWords[] = {
    {"avx2", kAvx2Word, kAvx2Word},
    {"avx512vnni", kCpuAvx512Vnni, kCpuAvx512Vnni | kAvx2Word},
    {"neon", kCpuNeon, kCpuNeon},
    {"neon_dotprod", kCpuNeonDotprod, kCpuNeonDotprod | kCpuNeon},
    {"neon_i8mm", kCpuNeonI8mm, kCpuNeonI8mm | kCpuNeonDotprod | kCpuNeon},
};

bool contains(CpuFeatures set, CpuFeatures features) { return (set & features) == features; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

const Word* find_word(std::string_view name) {
  for (const Word& word : kWords) {
    if (word.name == name) return &word;
  }
  return nullptr;
}

/// "ref", then the words of a set.
std::string offer(CpuFeatures available) {
  std::string text = "ref";
  for (const Word& word : kWords) {
    if (contains(available, word.own)) text.append(", ").append(word.name);
  }
  return text;
}

#if defined(__x86_64__)
/// XCR0: which register files the operating system saves. By hand: the intrinsic needs -mxsave.
uint64_t read_xcr0() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}
#endif

CpuFeatures ask_cpu() {
  CpuFeatures features = kCpuRef;
#if defined(__x86_64__)
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return features;
  const bool os_saves = (ecx & bit_OSXSAVE) != 0;
  const bool avx = (ecx & bit_AVX) != 0, fma = (ecx & bit_FMA) != 0;
  if (!os_saves || !avx || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return features;
  const uint64_t saved = read_xcr0();
  constexpr uint64_t kYmm = 0x06;  // SSE, AVX
  if ((saved & kYmm) != kYmm) return features;
  if ((ebx & bit_AVX2) != 0) features |= kCpuAvx2;
  if (fma) features |= kCpuFma;
#ifdef HONE_SIMDE
  constexpr bool avx512 = true;  // emulated: native/kernels/x86_intrinsics.h
#else
  constexpr uint64_t kZmm = 0xE6;  // SSE, AVX, opmask, upper ZMM, ZMM16-31
  constexpr uint32_t kAvx512 = bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ;
  const bool avx512 = (saved & kZmm) == kZmm && (ebx & kAvx512) == kAvx512 && (ecx & bit_AVX512VNNI) != 0;
#endif
  if (avx512 && contains(features, kAvx2Word)) features |= kCpuAvx512Vnni;
#elif defined(__aarch64__)
  features |= kCpuNeon;  // part of the architecture's base
#if defined(__linux__)
  constexpr unsigned long kHwcapDotprod = 1ul << 20, kHwcap2I8mm = 1ul << 13;
  if ((getauxval(AT_HWCAP) & kHwcapDotprod) != 0) features |= kCpuNeonDotprod;
  if ((getauxval(AT_HWCAP2) & kHwcap2I8mm) != 0 && contains(features, kCpuNeonDotprod))
    features |= kCpuNeonI8mm;
#elif defined(__APPLE__)
  features |= kCpuNeonDotprod;  // every Apple CPU that runs 64-bit macOS
#endif
#endif
  return features;
}

}  // namespace

CpuFeatures detect_cpu() {
  // Once: a virtual machine leaves itself for every question.
  static const CpuFeatures kFeatures = ask_cpu();
  return kFeatures;
}

Status parse_cpu_mask(std::string_view text, CpuFeatures available, CpuFeatures* mask) {
  text = trim(text);
  if (text.empty()) {
    *mask = available;
    return {};
  }
  if (text == "ref") {
    *mask = kCpuRef;
    return {};
  }
  CpuFeatures parsed = kCpuRef;
  while (true) {
    const size_t comma = text.find(',');
    const std::string name(trim(text.substr(0, comma)));
    const Word* word = find_word(name);
    if (word == nullptr) {
      const std::string what =
          name == "ref" ? "'ref' stands alone" : "unknown instruction set '" + name + "'";
      return {"E_CPU_MASK", what + "; this CPU offers: " + offer(available)};
    }
    if (!contains(available, word->with_implied)) {
      return {"E_CPU_MASK", "this CPU has no '" + name + "'; it offers: " + offer(available)};
    }
    parsed |= word->with_implied;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  *mask = parsed;
  return {};
}

std::string describe_cpu(CpuFeatures features) {
  std::string text;
  for (const Word& word : kWords) {
    if (!contains(features, word.own)) continue;
    if (!text.empty()) text += ',';
    text += word.name;
  }
  return text.empty() ? "ref" : text;
}

}  // namespace hone
