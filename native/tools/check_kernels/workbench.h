#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hone::check {

/// splitmix64: small, seeded, the same on every machine.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// Uniform in [lo, hi], both included.
  int64_t between(int64_t lo, int64_t hi);
  /// Uniform in [0, 1).
  double unit();
  bool chance(double probability) { return unit() < probability; }
  template <class T, size_t N>
  T pick(const T (&values)[N]) {
    return values[between(0, static_cast<int64_t>(N) - 1)];
  }

 private:
  uint64_t state_;
};

/// What the fill functions write.
enum class Fill { kRandom, kExtreme, kConstant };

/// Where buffers lie. kEdges: most end at a guard page, some begin at one. kMisaligned: at odd places between
/// canaries. kRoomy: aligned, far from the guard pages, because stores masked off at a page's end cost time.
enum class Placement { kEdges, kMisaligned, kRoomy };

/// Memory and data of one case. Every buffer lies between two inaccessible pages. Inputs become read-only
/// before the kernels run.
class Workbench {
 public:
  struct Output {
    uint8_t* data;
    size_t rows, row_bytes,
        stride;     ///< `rows` runs of row_bytes, stride bytes apart; bytes between them are canaries
    bool is_float;  ///< compare as float32: equal bits, or both NaN
    std::vector<uint8_t> initial;
  };

  Workbench(uint64_t seed, Fill fill, Placement placement);
  ~Workbench();
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

  Rng& rng() { return rng_; }
  Fill fill() const { return fill_; }

  /// Memory that kernels only read. Contents undefined until filled. Alignment: that of T, on purpose no
  /// more.
  template <class T>
  T* input(size_t count) {
    return reinterpret_cast<T*>(allocate(count * sizeof(T), sizeof(T), Use::kInput));
  }
  /// Input of `rows` runs of row_count elements, stride elements apart. The bytes between them change from
  /// run to run: a kernel whose result depends on them differs from itself.
  template <class T>
  T* input(size_t rows, size_t row_count, size_t stride) {
    T* data = input<T>((rows - 1) * stride + row_count);
    if (rows > 1 && stride > row_count)
      gaps_.push_back({blocks_.size() - 1, rows, row_count * sizeof(T), stride * sizeof(T)});
    return data;
  }
  /// As input, 64-byte aligned: packed weights.
  uint8_t* aligned_input(size_t bytes) { return allocate(bytes, 64, Use::kInput); }
  /// 64-byte aligned scratch of a kernel, filled with random bytes before every run. At least 1 byte.
  uint8_t* scratch(size_t bytes) { return allocate(bytes, 64, Use::kScratch); }
  /// Output of `rows` runs of row_count elements, stride elements apart (stride >= row_count). It starts as
  /// random bytes; what the case writes into it is its initial content (for y that is also an input).
  template <class T>
  T* output(size_t rows, size_t row_count, size_t stride) {
    const size_t bytes = rows == 0 ? 0 : ((rows - 1) * stride + row_count) * sizeof(T);
    T* data = reinterpret_cast<T*>(allocate(bytes, sizeof(T), Use::kOutput));
    outputs_.push_back({reinterpret_cast<uint8_t*>(data),
                        rows,
                        row_count * sizeof(T),
                        stride * sizeof(T),
                        static_cast<T>(0.5f) != static_cast<T>(0),
                        {}});
    return data;
  }
  template <class T>
  T* output(size_t count) {
    return output<T>(1, count, count);
  }

  /// Bytes by the fill pattern: uniform, extremes (-128, -127, -1, 0, 1, 126, 127), or one value.
  void fill_bytes(void* data, size_t count);
  /// Floats by the fill pattern: normal around 0 with deviation `spread`; extremes (0, -0, denormals, +-1,
  /// +-huge, +-Inf, NaN when allowed); or one value.
  void fill_floats(float* data, size_t count, float spread = 1.0f, bool allow_nan = true);

  /// For the checker: ends the set-up (inputs become read-only, outputs are remembered).
  void seal();
  /// For the checker: lets a case add buffers after seal (prepare).
  void unseal();
  /// For the checker: outputs as they were when sealed, new noise in the scratch and between input rows.
  void restore();
  const std::vector<Output>& outputs() const { return outputs_; }
  /// For the checker: bytes of an output, gaps included.
  static size_t span(const Output& output);
  /// Empty, or what was written where nothing may be: canaries around buffers and in stride gaps.
  std::string find_stray_write() const;

 private:
  enum class Use { kInput, kOutput, kScratch };
  struct Block {
    uint8_t* base;      ///< of the mapping, first guard page
    size_t page_bytes;  ///< accessible bytes between the guard pages
    uint8_t* data;
    size_t bytes;
    Use use;
  };
  /// An input with gaps between its rows, in bytes.
  struct Gaps {
    size_t block, rows, row_bytes, stride;
  };
  uint8_t* allocate(size_t bytes, size_t alignment, Use use);
  void protect(const Block& block, int protection) const;

  Rng rng_;
  Fill fill_;
  Placement placement_;
  bool sealed_ = false;
  uint8_t constant_;
  std::vector<Block> blocks_;
  std::vector<Gaps> gaps_;
  std::vector<Output> outputs_;
};

}  // namespace hone::check
