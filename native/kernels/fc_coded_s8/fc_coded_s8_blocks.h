#pragma once
#include <cstring>

#include "native/kernels/fc_coded_s8/fc_coded_s8_rows.h"

// Rows and blocks of fc_coded_s8 around the products of an instruction set (internal linkage).

namespace hone {
namespace {

/// What products need: one block of packed codes, and where its rows come from and go.
template <typename Element>
struct CodedBlock {
  const uint8_t* block;
  const uint8_t* table;
  int64_t pairs;
  const Element* x;
  ptrdiff_t x_stride;
  int8_t* y;
  ptrdiff_t y_stride;
  int32_t channels;  ///< that exist, at most 16
};

/// `Kernel` has Element, copy(to, from, count) of a row, and multiply<kRows>(block).
template <class Kernel>
inline void run_coded(const CodedFormat& format, const FcCodedS8Shape& shape, const FcCodedS8Args& args,
                      const Tile& tile, const Kernel& kernel) {
  using Element = typename Kernel::Element;
  const int64_t stride = coded_scratch_stride(format, shape.inputs);
  const int64_t depth = coded_depth(format, shape.inputs);
  const size_t block_bytes = coded_block_bytes(format, shape.inputs);
  const uint8_t* packed = static_cast<const uint8_t*>(args.packed);
  Element* rows = static_cast<Element*>(args.scratch);
  for (int64_t row = tile.begin; row < tile.end; row += kCodedRows) {
    const int64_t count = tile.end - row < kCodedRows ? tile.end - row : kCodedRows;
    for (int64_t i = 0; i < count; i++) {
      kernel.copy(rows + i * stride, args.x + (row + i) * args.x_stride, shape.inputs);
      std::memset(rows + i * stride + shape.inputs, 0,
                  static_cast<size_t>(depth - shape.inputs) * sizeof(Element));
    }
    for (int32_t block = tile.block_begin; block < tile.block_end; block++) {
      const int32_t first = block * kCodedOutputs;
      const int32_t left = shape.outputs - first;
      const CodedBlock<Element> work = {packed + kCodedTableBytes + block * block_bytes,
                                        packed,
                                        coded_pairs(format, shape.inputs),
                                        rows,
                                        stride,
                                        args.y + row * args.y_stride + first,
                                        args.y_stride,
                                        left < kCodedOutputs ? left : kCodedOutputs};
      switch (count) {
        case 1:
          kernel.template multiply<1>(work);
          break;
        case 2:
          kernel.template multiply<2>(work);
          break;
        case 3:
          kernel.template multiply<3>(work);
          break;
        default:
          kernel.template multiply<kCodedRows>(work);
          break;
      }
    }
  }
}

}  // namespace
}  // namespace hone
