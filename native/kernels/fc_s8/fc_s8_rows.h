#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/fc_s8/fc_s8.h"
#include "native/kernels/gemm_pack.h"

/// What the table and the instruction-set files of fc_s8 share; see conv_s8_rows.h.
namespace hone {

void fc_s8_ref(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);
void fc_s8_avx2(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);
void fc_s8_avx512vnni(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);
void fc_s8_neon(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);
void fc_s8_neon_dotprod(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);
void fc_s8_neon_i8mm(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile);

inline constexpr GemmFormat kFcS8Avx2Format = {16, 2, 2, 0};
inline constexpr GemmFormat kFcS8Avx512VnniFormat = {16, 4, 1, 128};
inline constexpr GemmFormat kFcS8NeonFormat = {4, 16, 1, 0};
inline constexpr GemmFormat kFcS8NeonDotprodFormat = {16, 4, 1, 0};
inline constexpr GemmFormat kFcS8NeonI8mmFormat = {16, 8, 1, 0};

/// Rows of x that a kernel converts into its scratch at a time: so many that a set of weights in cache serves
/// them all.
inline constexpr int32_t kFcS8MostScratchRows = 48;
static inline int32_t fc_s8_scratch_rows(const FcS8Shape& shape) {
  return shape.rows < kFcS8MostScratchRows ? shape.rows : kFcS8MostScratchRows;
}

/// Bytes of one row of x in scratch when elements have `element_bytes`: a multiple of 64, at least 64 more
/// than it holds.
static inline size_t fc_s8_scratch_stride(const FcS8Shape& shape, int32_t element_bytes) {
  return (static_cast<size_t>(shape.inputs) * element_bytes + 127) / 64 * 64;
}

}  // namespace hone
