#pragma once
#include "native/kernels/copy_nd/copy_nd.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

struct Dimension {
  int64_t extent;
  ptrdiff_t dst, src;  ///< strides in bytes
};

/// The copy as a list of nested loops, outermost first.
struct Loops {
  uint8_t* dst;
  const uint8_t* src;
  int32_t element_bytes;
  int count;
  Dimension dims[kCopyMaxRank];
};

inline void remove_dimension(Loops* loops, int d) {
  loops->count--;
  for (; d < loops->count; d++) loops->dims[d] = loops->dims[d + 1];
}

/// Takes the tile's part, drops extents of 1 and merges neighbouring dimensions that are one run in both
/// arrays.
inline Loops simplify(const CopyNdArgs& args, const Tile& tile) {
  Loops loops = {args.dst + tile.begin * args.dst_strides[0],
                 args.src + tile.begin * args.src_strides[0],
                 args.element_bytes,
                 0,
                 {}};
  for (int d = 0; d < args.rank; d++) {
    const Dimension next = {d == 0 ? tile.end - tile.begin : args.extents[d], args.dst_strides[d],
                            args.src_strides[d]};
    if (next.extent == 1) continue;
    Dimension* last = loops.count > 0 ? &loops.dims[loops.count - 1] : nullptr;
    if (last != nullptr && last->dst == next.dst * next.extent && last->src == next.src * next.extent) {
      *last = {last->extent * next.extent, next.dst, next.src};
    } else {
      loops.dims[loops.count++] = next;
    }
  }
  return loops;
}

/// Calls body(dst, src) for every index of the dimensions.
template <class Body>
inline void for_each_index(const Loops& loops, Body body) {
  int64_t index[kCopyMaxRank] = {};
  uint8_t* dst = loops.dst;
  const uint8_t* src = loops.src;
  for (;;) {
    body(dst, src);
    int d = loops.count - 1;
    for (; d >= 0; d--) {
      const Dimension& dim = loops.dims[d];
      dst += dim.dst;
      src += dim.src;
      if (++index[d] < dim.extent) break;
      dst -= dim.extent * dim.dst;
      src -= dim.extent * dim.src;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

/// Copies `lines.extent` runs of `bytes` contiguous bytes.
inline void copy_runs(uint8_t* dst, const uint8_t* src, const Dimension& lines, int64_t bytes) {
  for (int64_t i = 0; i < lines.extent; i++, dst += lines.dst, src += lines.src) {
    if (bytes <= 16) {
      store_bytes_first(dst, load_bytes_first(src, static_cast<int>(bytes)), static_cast<int>(bytes));
    } else if (bytes <= 32) {
      const Bytes16 head = load_bytes(src), tail = load_bytes(src + bytes - 16);
      store_bytes(dst, head);
      store_bytes(dst + bytes - 16, tail);
    } else {
      __builtin_memcpy(dst, src, static_cast<size_t>(bytes));
    }
  }
}

template <class Element>
inline void copy_elements(uint8_t* dst, const uint8_t* src, const Dimension& outer, const Dimension& inner) {
  for (int64_t i = 0; i < outer.extent; i++) {
    for (int64_t j = 0; j < inner.extent; j++) {
      __builtin_memcpy(dst + i * outer.dst + j * inner.dst, src + i * outer.src + j * inner.src,
                       sizeof(Element));
    }
  }
}

inline void copy_elements(uint8_t* dst, const uint8_t* src, const Dimension& outer, const Dimension& inner,
                          int32_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return copy_elements<uint8_t>(dst, src, outer, inner);
    case 2:
      return copy_elements<uint16_t>(dst, src, outer, inner);
    case 4:
      return copy_elements<uint32_t>(dst, src, outer, inner);
    default:
      return copy_elements<uint64_t>(dst, src, outer, inner);
  }
}

/// Bytes: `rows` are neighbours in dst, `columns` are neighbours in src.
inline void transpose_plane_bytes(uint8_t* dst, const uint8_t* src, const Dimension& rows,
                                  const Dimension& columns) {
  int64_t r = 0;
  if (columns.extent == 3 && rows.src == 3) {
    for (; r + 16 <= rows.extent; r += 16) {
      Bytes16 a, b, c;
      deinterleave_3(src + r * 3, &a, &b, &c);
      store_bytes(dst + r, a);
      store_bytes(dst + columns.dst + r, b);
      store_bytes(dst + 2 * columns.dst + r, c);
    }
  }
  for (; r < rows.extent; r += 16) {
    const int height = rows.extent - r < 16 ? static_cast<int>(rows.extent - r) : 16;
    int64_t c = 0;
    if (height == 3 && columns.dst == 3) {
      for (; c + 16 <= columns.extent; c += 16) {
        const uint8_t* from = src + r * rows.src + c;
        interleave_3(dst + c * 3 + r, load_bytes(from), load_bytes(from + rows.src),
                     load_bytes(from + 2 * rows.src));
      }
    }
    for (; c < columns.extent; c += 16) {
      const int width = columns.extent - c < 16 ? static_cast<int>(columns.extent - c) : 16;
      Bytes16 block[16];
      for (int i = 0; i < 16; i++) {
        block[i] = i < height ? load_bytes_first(src + (r + i) * rows.src + c, width) : splat_byte(0);
      }
      transpose_bytes(block);
      for (int i = 0; i < width; i++) store_bytes_first(dst + (c + i) * columns.dst + r, block[i], height);
    }
  }
}

/// Words of 4 bytes: blocks of 4 x 4, the rest one by one.
inline void transpose_plane_words(uint8_t* dst, const uint8_t* src, const Dimension& rows,
                                  const Dimension& columns) {
  const int64_t whole_rows = rows.extent / 4 * 4, whole_columns = columns.extent / 4 * 4;
  for (int64_t r = 0; r < whole_rows; r += 4) {
    for (int64_t c = 0; c < whole_columns; c += 4) {
      transpose_words(dst + c * columns.dst + r * 4, columns.dst, src + r * rows.src + c * 4, rows.src);
    }
  }
  const Dimension right = {columns.extent - whole_columns, columns.dst, 4};
  copy_elements<uint32_t>(dst + whole_columns * columns.dst, src + whole_columns * 4,
                          {whole_rows, 4, rows.src}, right);
  const Dimension below = {rows.extent - whole_rows, 4, rows.src};
  copy_elements<uint32_t>(dst + whole_rows * 4, src + whole_rows * rows.src, below,
                          {columns.extent, columns.dst, 4});
}

inline void copy_nd_simd(const CopyNdArgs& args, const Tile& tile) {
  if (tile.begin == tile.end) return;
  Loops loops = simplify(args, tile);
  const ptrdiff_t element_bytes = args.element_bytes;
  int run = -1, dst_run = -1, src_run = -1;
  for (int d = 0; d < loops.count; d++) {
    const bool in_dst = loops.dims[d].dst == element_bytes, in_src = loops.dims[d].src == element_bytes;
    if (in_dst && in_src) run = d;
    if (in_dst) dst_run = d;
    if (in_src) src_run = d;
  }
  const Dimension once = {1, 0, 0};
  if (run >= 0) {
    const int64_t bytes = loops.dims[run].extent * element_bytes;
    remove_dimension(&loops, run);
    const Dimension lines = loops.count > 0 ? loops.dims[--loops.count] : once;
    for_each_index(loops, [&](uint8_t* dst, const uint8_t* src) { copy_runs(dst, src, lines, bytes); });
  } else if (dst_run >= 0 && src_run >= 0 && (element_bytes == 1 || element_bytes == 4)) {
    const Dimension rows = loops.dims[dst_run], columns = loops.dims[src_run];
    remove_dimension(&loops, dst_run > src_run ? dst_run : src_run);
    remove_dimension(&loops, dst_run > src_run ? src_run : dst_run);
    if (element_bytes == 1) {
      for_each_index(
          loops, [&](uint8_t* dst, const uint8_t* src) { transpose_plane_bytes(dst, src, rows, columns); });
    } else {
      for_each_index(
          loops, [&](uint8_t* dst, const uint8_t* src) { transpose_plane_words(dst, src, rows, columns); });
    }
  } else {
    const Dimension inner = loops.count > 0 ? loops.dims[--loops.count] : once;
    const Dimension outer = loops.count > 0 ? loops.dims[--loops.count] : once;
    for_each_index(loops, [&](uint8_t* dst, const uint8_t* src) {
      copy_elements(dst, src, outer, inner, args.element_bytes);
    });
  }
}

}  // namespace
}  // namespace hone
