#pragma once
#include <cstdint>

#include "native/core/element_type.h"
#include "native/core/weight_encoding.h"

namespace hone {

/// The plan file: flat, little-endian, mapped into memory as is. Mirrored by lib/plan/format.ts;
/// docs/formats.md describes it; a test compares the two. All offsets count bytes from the start of the file;
/// sections are 64-byte aligned. Every plan is independent of the instruction set: canonical int8
/// activations, NHWC, unpacked weights.

inline constexpr char kPlanMagic[8] = {'H', 'O', 'N', 'E', 'P', 'L', 'A', 'N'};
/// The version that is written. Version 1 has fewer element types and no pitch; whoever reads, reads both.
inline constexpr uint32_t kPlanVersion = 2;
inline constexpr uint32_t kPlanMaxRank = 8;
inline constexpr uint32_t kPlanNone = 0xFFFFFFFFu;

/// A table or blob of the file.
struct PlanSection {
  uint64_t offset;
  uint64_t count;  ///< records, or bytes for strings, operands, params, weights and metadata
};

struct PlanHeader {
  char magic[8];
  uint32_t version;
  uint32_t header_bytes;
  uint64_t file_bytes;
  uint32_t crc32;  ///< IEEE CRC-32 of the whole file with this field as zero
  uint32_t reserved;
  uint8_t source_hash[32];  ///< SHA-256 of the ONNX file the plan was compiled from
  PlanSection variants;     ///< PlanVariant: one per compiled set of input shapes, over shared weights
  PlanSection tensors;      ///< PlanTensor
  PlanSection nodes;        ///< PlanNode, in execution order within a variant
  PlanSection ports;        ///< PlanPort: inputs and outputs as the user sees them
  PlanSection states;       ///< PlanState: outputs that are the next run's inputs
  PlanSection operands;     ///< uint32 indices into tensors, kPlanNone for a missing operand
  PlanSection params;       ///< parameter structs, 8-byte aligned each
  PlanSection strings;      ///< UTF-8, not terminated
  PlanSection metadata;     ///< UTF-8 JSON: labels, preprocessing spec, provenance
  PlanSection weights;      ///< constants, codes and their tables, each 64-byte aligned
  PlanSection encoded;      ///< PlanWeights: constants that are held as codes; none in version 1
  PlanSection counts;       ///< PlanCount, by port; none in version 1
};
static_assert(sizeof(PlanHeader) == 256);

/// Reference into the strings section.
struct PlanString {
  uint32_t offset;
  uint32_t bytes;
};

struct PlanVariant {
  PlanString name;
  uint32_t first_tensor, tensor_count;
  uint32_t first_node, node_count;
  uint32_t first_input, input_count;    ///< ports
  uint32_t first_output, output_count;  ///< ports
  uint32_t first_state, state_count;
  uint64_t arena_bytes;
};
static_assert(sizeof(PlanVariant) == 56);

using PlanType = ElementType;

enum class PlanPlace : uint8_t {
  kArena = 0,     ///< offset into the arena, 64-byte aligned
  kConstant = 1,  ///< offset into the weights section, 64-byte aligned
  kPort = 2,      ///< memory of the caller; offset is unused
  kState = 3,     ///< offset into the state memory (kept between runs), 64-byte aligned
  kEncoded = 4,   ///< a constant that is held as codes: offset is the index of its PlanWeights
};

/// Dims are physical: a rank-4 image tensor inside the plan is [N, H, W, C].
struct PlanTensor {
  PlanString name;
  PlanType type;
  PlanPlace place;
  uint8_t rank;
  uint8_t reserved;
  int32_t zero_point;  ///< of int8 activations
  float scale;         ///< of int8 activations, 0 elsewhere
  uint32_t dims[kPlanMaxRank];
  uint32_t pitch;  ///< elements from one row (the last dimension) to the next; 0: rows follow each other
  uint64_t offset;
  uint64_t bytes;  ///< from the first element to the last, gaps between rows included
};
static_assert(sizeof(PlanTensor) == 72);

/// A constant that is held as codes, two of 4 bits per byte (the lower half first), each row from a byte of
/// its own. Tensors that name it have its type, and as many elements as there are codes.
struct PlanWeights {
  WeightEncoding encoding;
  PlanType type;   ///< of the elements: int8 or float32
  uint8_t bits;    ///< of a code: 4 or 8
  uint8_t flags;   ///< kPlanZeroPoints
  uint32_t row;    ///< codes of a row
  uint32_t group;  ///< codes of a row that have a scale together, the last ones perhaps fewer; 0 where there
                   ///< are none
  uint32_t reserved;
  uint64_t
      table;  ///< into the weights section: scales (then zero points, a byte each) of groups, or the codebook
  uint64_t offset;  ///< into the weights section
  uint64_t bytes;   ///< of the codes
};
static_assert(sizeof(PlanWeights) == 40);

/// Flag of PlanWeights: zero points follow the scales.
inline constexpr uint8_t kPlanZeroPoints = 1;

/// An input or output as the user sees it.
struct PlanPort {
  PlanString name;
  uint32_t tensor;  ///< a tensor of place kPort
  PlanType type;
  uint8_t rank;
  uint16_t reserved;
  uint32_t dims[kPlanMaxRank];  ///< in the ONNX layout
};
static_assert(sizeof(PlanPort) == 48);

/// An output of which a run decides one extent: that of the port is the most it can be. The elements of the
/// actual shape stand at its start, row-major; what is behind them means nothing.
struct PlanCount {
  uint32_t port;    ///< each at most once, in rising order
  uint32_t axis;    ///< of the port
  uint32_t tensor;  ///< of place kArena, one int64: the extent; beyond that of the port it counts as that
  uint32_t reserved;
};
static_assert(sizeof(PlanCount) == 16);

struct PlanState {
  uint32_t input_tensor;   ///< place kState: read at the start of a run
  uint32_t output_tensor;  ///< place kState: becomes input_tensor after the run
};
static_assert(sizeof(PlanState) == 8);

/// Engine operations: plan_ops.def says what their operands and parameters are.
enum class PlanOp : uint16_t {
#define HONE_PLAN_OP(number, symbol, ...) k##symbol = number,
#include "native/engine/plan_ops.def"
};

inline constexpr PlanOp kPlanOps[] = {
#define HONE_PLAN_OP(number, symbol, ...) PlanOp::k##symbol,
#include "native/engine/plan_ops.def"
};
inline constexpr uint32_t kPlanOpCount = sizeof(kPlanOps) / sizeof(kPlanOps[0]);

struct PlanNode {
  PlanString name;  ///< name of the ONNX node (or nodes, joined by '+') that it computes
  PlanOp op;
  uint16_t output_count;
  uint16_t input_count;
  uint16_t reserved;
  uint32_t first_operand;  ///< index into operands: outputs, then inputs
  uint32_t params_bytes;
  uint64_t params_offset;  ///< into the params section; 0 bytes when the op has none
};
static_assert(sizeof(PlanNode) == 32);

/// Output bounds after a fused activation: qmin <= qmax for the int8 kernels, lo <= hi for the float kernels.
struct PlanClamp {
  int32_t qmin, qmax;
  float lo, hi;
};
static_assert(sizeof(PlanClamp) == 16);

struct PlanWindow {
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t dilation_h, dilation_w;
  int32_t pad_top, pad_left;
};
static_assert(sizeof(PlanWindow) == 32);

struct PlanConv {
  PlanWindow window;
  int32_t groups;
  int32_t reserved;
  PlanClamp clamp;  ///< of the convolution's own output
  /// Fused residual addition: the convolution's own int8 scale and zero point, and the bounds of the sum.
  float conv_scale;
  int32_t conv_zero_point;
  PlanClamp add_clamp;
};
static_assert(sizeof(PlanConv) == 80);

struct PlanPool {
  PlanWindow window;
  int32_t count_include_pad;  ///< 0 or 1, average pools only
  int32_t reserved;
  PlanClamp clamp;
};
static_assert(sizeof(PlanPool) == 56);

struct PlanBinary {
  int32_t operation;  ///< a BinaryOperation
  int32_t reserved;
  PlanClamp clamp;
};
static_assert(sizeof(PlanBinary) == 24);

struct PlanReduce {
  int32_t operation;  ///< a ReduceOperation
  int32_t reserved;
  PlanClamp clamp;
};
static_assert(sizeof(PlanReduce) == 24);

struct PlanNormalize {
  int32_t groups;
  int32_t centered;  ///< 0 or 1
  float epsilon;
  int32_t reserved;
};
static_assert(sizeof(PlanNormalize) == 16);

struct PlanExtreme {
  int32_t smallest;  ///< 0 or 1
  int32_t last;      ///< 0 or 1: of equal elements the last
};
static_assert(sizeof(PlanExtreme) == 8);

struct PlanTop {
  int32_t count;
  int32_t smallest;  ///< 0 or 1
};
static_assert(sizeof(PlanTop) == 8);

struct PlanBoxes {
  int32_t centered;  ///< 0 or 1: center, width and height instead of two corners
  int32_t most;      ///< boxes of one class
};
static_assert(sizeof(PlanBoxes) == 8);

struct PlanScan {
  int32_t exclusive;  ///< 0 or 1
  int32_t reverse;    ///< 0 or 1
};
static_assert(sizeof(PlanScan) == 8);

struct PlanUnary {
  int32_t operation;  ///< a UnaryOperation
  float alpha, beta;  ///< what the function makes of them, 0 where it takes none
  int32_t reserved;
  PlanClamp clamp;
};
static_assert(sizeof(PlanUnary) == 32);

/// Border kernels change layout when `channels_first` is 1: the port is [N, C, spatial...], the plan tensor
/// [N, spatial..., C]; else both have the same dims.
struct PlanBorder {
  int32_t channels_first;
  int32_t reserved;
};
static_assert(sizeof(PlanBorder) == 8);

struct PlanCopy {
  int32_t rank;
  int32_t reserved;
  int64_t extents[kPlanMaxRank];
  int64_t src_offset;                 ///< elements, start in x
  int64_t dst_offset;                 ///< elements, start in y
  int64_t src_strides[kPlanMaxRank];  ///< elements
  int64_t dst_strides[kPlanMaxRank];  ///< elements
};
static_assert(sizeof(PlanCopy) == 216);

struct PlanInteger {
  int32_t operation;  ///< an IntegerOperation
  int32_t reserved;
};
static_assert(sizeof(PlanInteger) == 8);

struct PlanComparison {
  int32_t comparison;  ///< a Comparison
  int32_t reserved;
};
static_assert(sizeof(PlanComparison) == 8);

struct PlanAxis {
  int32_t axis;  ///< from the first
  int32_t reserved;
};
static_assert(sizeof(PlanAxis) == 8);

struct PlanScatter {
  int32_t axis;         ///< from the first; 0 where there is none
  int32_t combination;  ///< a ScatterCombination
};
static_assert(sizeof(PlanScatter) == 8);

/// Leaves out the next `count` nodes where the condition is `value`.
struct PlanSkip {
  int32_t count;  ///< at least 1, and no more than are left
  int32_t value;  ///< 0 or 1
};
static_assert(sizeof(PlanSkip) == 8);

struct PlanFill {
  uint32_t value;  ///< bit pattern of one element
  uint32_t high;   ///< its upper half, of elements of 8 bytes
};
static_assert(sizeof(PlanFill) == 8);

/// y[p, m, n] = alpha * sum over k of a[p, m, k] * b[p, k, n]. Strides in elements of dense operands: those
/// of the batch, outermost first, then of a along m and k, of b along k and n.
struct PlanMatmul {
  int32_t rank;  ///< of the batch p, two below kPlanMaxRank at most
  float alpha;
  int64_t batch[kPlanMaxRank];
  int64_t rows, inputs, outputs;  ///< m, k, n
  int64_t a_offset, b_offset;     ///< elements, start in a and b
  int64_t a_strides[kPlanMaxRank];
  int64_t b_strides[kPlanMaxRank];
  PlanClamp clamp;
};
static_assert(sizeof(PlanMatmul) == 256);

/// Functions f, g, h of the first direction, then of the second: a UnaryOperation each, its factors, bounds.
/// Tensors have the batch behind the steps and directions, or first.
struct PlanRecurrent {
  int32_t cell;       ///< a RecurrentCell
  int32_t direction;  ///< 0 forward, 1 reverse, 2 both
  int32_t batch;      ///< sequences
  int32_t batch_first;
  int32_t linear_before_reset, input_forget;
  float clip;  ///< infinity: none
  int32_t reserved;
  int32_t operations[6];
  float alphas[6], betas[6], lows[6], highs[6];
};
static_assert(sizeof(PlanRecurrent) == 152);

}  // namespace hone
