#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/packed_layout.h"

namespace hone {

/// Order in which a matrix-product kernel reads its weights. Packed form, one block after the other, 64-byte
/// aligned each:
///   int32 bias[block], float multiplier[block], head of int8 elements, element weights[depth
///   groups][block][k_group]
/// Channels and k beyond the end are zero. The zero point of x is gone: with
///   bias' = bias - (x_zero_point + x_offset) * sum(w - w_zero_point)    mod 2^32
/// a kernel whose activations are x + x_offset (128: u8 instead of s8) just sums products. Positions outside
/// the input must then hold x_zero_point + x_offset.
///
/// int16 elements are w - w_zero_point, and so are the int8 elements of a channel where all of them fit. Of
/// the other channels int8 elements are w, and their zero point stays. The head of int8 elements is
///   int32 zero_point_left[block], uint32 traits[block] (the first holds PackedTraits, the rest 0)
/// and where kPackedShifted is set a kernel subtracts zero_point_left * sum(x + x_offset), a sum over the
/// whole depth that serves all channels. Of k_group 16 the pairs of kPackedWide are w[k] and w[k + 8] of a
/// group.
struct GemmFormat {
  int32_t block;    ///< output channels per block
  int32_t k_group;  ///< neighbours in k that one instruction sums: 2 vpmaddwd, 4 vpdpbusd and sdot, 8 smmla
  int32_t element_bytes;  ///< 1: int8; 2: int16
  int32_t x_offset;
};

/// The summed dimension: `runs` pieces of run_length, each padded to a multiple of k_group on its own.
/// Kernels that read the window in place have one run per kernel row or position; kernels that gather it have
/// one run.
struct GemmDepth {
  int32_t runs;
  int32_t run_length;
};

/// Matrix [channels][runs * run_length] of one group of a convolution, or of a fully connected layer.
struct GemmWeights {
  const int8_t* weights;
  const int32_t* bias;
  const float* multiplier;
  const int8_t* zero_points;  ///< null: all 0
  int32_t channels;
  int32_t x_zero_point;
};

/// Groups of k_group in one run.
static inline int64_t gemm_run_groups(const GemmFormat& format, int32_t run_length) {
  return (static_cast<int64_t>(run_length) + format.k_group - 1) / format.k_group;
}

/// Bytes before the weights of a packed block.
static inline size_t gemm_head_bytes(const GemmFormat& format) {
  return static_cast<size_t>(format.block) * (format.element_bytes == 1 ? 16 : 8);
}

/// Bytes from one packed block to the next.
static inline size_t gemm_block_bytes(const GemmFormat& format, const GemmDepth& depth) {
  const size_t elements = static_cast<size_t>(depth.runs * gemm_run_groups(format, depth.run_length)) *
                          format.k_group * format.block;
  const size_t bytes = gemm_head_bytes(format) + elements * format.element_bytes;
  return (bytes + 63) / 64 * 64;
}

/// Blocks that hold `channels` output channels.
static inline int32_t gemm_blocks(const GemmFormat& format, int32_t channels) {
  return (channels + format.block - 1) / format.block;
}

/// Whether w - zero_point is an int8 for the `count` weights that lie `step` apart.
bool fits_folded(const int8_t* weights, int64_t count, int64_t step, int32_t zero_point);

/// Writes gemm_blocks * gemm_block_bytes bytes.
void pack_gemm(const GemmFormat& format, const GemmDepth& depth, const GemmWeights& matrix, void* packed);

/// to[k * stride + c] = rows[c * length + k] for `count` rows: the same order for floats, block by block.
void interleave_floats(const float* rows, int64_t length, int32_t count, float* to, int64_t stride);

}  // namespace hone
