// No legal int8 layer may reach a ref row, which is 60 to 480 times slower: over a wide table of shapes, for
// every instruction set of this architecture, on whatever CPU this runs. Rows are chosen by shape alone, so
// that no weights and no zero points can change the choice.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>

#include "native/core/choose_row.h"
#include "native/core/cpu.h"
#include "native/kernels/conv_s8/conv_s8.h"
#include "native/kernels/dwconv_s8/dwconv_s8.h"
#include "native/kernels/fc_s8/fc_s8.h"
#include "native/tools/check_kernels/checker.h"

namespace hone::check {
namespace {

#if defined(__x86_64__)
constexpr const char* kWords[] = {"avx2", "avx512vnni"};
#elif defined(__aarch64__)
constexpr const char* kWords[] = {"neon", "neon_dotprod", "neon_i8mm"};
#endif

constexpr int32_t kChannels[] = {1, 2, 3, 4, 7, 8, 15, 16, 17, 24, 64, 130, 512};
constexpr int32_t kSides[] = {1, 2, 3, 5, 7, 16, 31};

/// The layers of one instruction set.
class Choice {
 public:
  Choice(const char* word, long* layers) : word_(word), layers_(layers) {
    CpuFeatures all = kCpuRef;
    for (const KernelCheck* check : registered_checks())
      for (const RowInfo& row : check->rows()) all |= row.needs;
    known_ = parse_cpu_mask(word, all, &mask_).ok();
  }

  bool check() { return known_ && check_kernels() && check_windows() && check_products(); }

 private:
  template <typename Row, typename Shape>
  bool choose(const Row* rows, int count, const Shape& shape, const WindowShape* window, int32_t outputs) {
    ++*layers_;
    const Row& row = choose_row(rows, count, mask_, [&](const Row& each) { return each.fits(shape); });
    if (&row != rows + count - 1) return true;
    std::printf("FAIL choice: %s on %s", row.name, word_);
    if (window != nullptr)
      std::printf(", kernel %dx%d stride %d dilation %d", window->kernel_h, window->kernel_w,
                  window->stride_w, window->dilation_w);
    std::printf(", %d outputs\n", outputs);
    return false;
  }

  /// Every kernel of int8 has a row.
  bool check_kernels() {
    for (const KernelCheck* check : registered_checks()) {
      if (!matches("*_s8", check->op)) continue;
      const std::vector<RowInfo> rows = check->rows();
      ++*layers_;
      const bool found = std::any_of(rows.begin(), rows.end() - 1,
                                     [&](const RowInfo& row) { return (row.needs & ~mask_) == 0; });
      if (!found) std::printf("FAIL choice: no row of %s on %s\n", check->op, word_);
      if (!found) return false;
    }
    return true;
  }

  bool check_windows() {
    for (const int32_t kernel_h : kSides)
      for (const int32_t kernel_w : kSides)
        for (const int32_t stride : {1, 2, 3, 4})
          for (const int32_t dilation : {1, 2, 5})
            for (const int32_t in_w : {1, 9, 240})
              for (const int32_t pad : {0, 1, 31}) {
                const int32_t in_h = in_w == 240 ? 1 : in_w;
                const auto extent = [&](int32_t in, int32_t kernel) {
                  return (in + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
                };
                const WindowShape window = {2,
                                            in_h,
                                            in_w,
                                            extent(in_h, kernel_h),
                                            extent(in_w, kernel_w),
                                            kernel_h,
                                            kernel_w,
                                            stride,
                                            stride,
                                            dilation,
                                            dilation,
                                            pad,
                                            pad};
                if (window.out_h < 1 || window.out_w < 1) continue;
                if (!check_channels(window)) return false;
              }
    return true;
  }

  bool check_channels(const WindowShape& window) {
    for (const int32_t channels : kChannels) {
      if (!choose(kDwconvS8Rows, kDwconvS8RowCount, DwconvS8Shape{window, channels}, &window, channels))
        return false;
      // Depthwise with a multiplier is a convolution of as many groups as channels.
      for (const int32_t outputs : kChannels)
        for (const int32_t groups : {1, 2, channels}) {
          const ConvS8Shape shape = {window, channels * groups, outputs * groups, groups};
          if (!choose(kConvS8Rows, kConvS8RowCount, shape, &window, outputs)) return false;
        }
    }
    return true;
  }

  bool check_products() {
    for (const int32_t rows : {1, 2, 3, 4, 5, 6, 7, 16, 49, 1000})
      for (const int32_t inputs : kChannels)
        for (const int32_t outputs : kChannels)
          if (!choose(kFcS8Rows, kFcS8RowCount, FcS8Shape{rows, inputs, outputs}, nullptr, outputs))
            return false;
    return true;
  }

  const char* word_;
  long* layers_;
  CpuFeatures mask_ = kCpuRef;
  bool known_;
};

}  // namespace

bool check_choices() {
  long layers = 0;
  for (const char* word : kWords)
    if (!Choice(word, &layers).check()) return false;
  std::printf("ok   choice: %ld layers on %zu instruction sets, none on ref\n", layers, std::size(kWords));
  return true;
}

}  // namespace hone::check
