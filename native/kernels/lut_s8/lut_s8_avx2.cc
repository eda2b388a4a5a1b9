#include "native/kernels/lut_s8/lut_s8.h"
#include "native/kernels/row_parts.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// The table as 16 pieces of 16 entries, in the form that lookup needs. vpshufb gives 0 where an index is
/// negative, else the entry of its low 4 bits. The index counts down by 16 from piece to piece, so x takes
/// part in every piece up to its own (x < 128), or in the eight up to its own (x >= 128); pieces hold
/// differences, and the exclusive or of all that take part is the entry of x. From piece 8 on the subtraction
/// saturates, so that no index turns positive a second time.
struct Pieces {
  __m256i piece[16];
};

inline Pieces load_pieces(const uint8_t* table) {
  Pieces pieces;
  __m256i previous = _mm256_setzero_si256();
  for (int i = 0; i < 16; i++) {
    const __m256i entries = _mm256_broadcastsi128_si256(load_bytes(table + 16 * i));
    pieces.piece[i] = _mm256_xor_si256(entries, previous);
    if (i >= 8) pieces.piece[i] = _mm256_xor_si256(pieces.piece[i], pieces.piece[i - 8]);
    previous = entries;
  }
  return pieces;
}

inline __m256i look_up(const Pieces& pieces, __m256i x) {
  const __m256i step = _mm256_set1_epi8(16);
  __m256i y = _mm256_shuffle_epi8(pieces.piece[0], x);
  for (int i = 1; i < 16; i++) {
    x = i <= 8 ? _mm256_sub_epi8(x, step) : _mm256_subs_epi8(x, step);
    y = _mm256_xor_si256(y, _mm256_shuffle_epi8(pieces.piece[i], x));
  }
  return y;
}

inline void look_up_run(uint8_t* y, const uint8_t* x, int64_t i, int64_t end, const uint8_t* table) {
  if (end - i >= 128) {  // below that the pieces cost more than they save
    const Pieces pieces = load_pieces(table);
    for (; i + 64 <= end; i += 64) {
      const __m256i first = look_up(pieces, load_wide(x + i)),
                    second = look_up(pieces, load_wide(x + i + 32));
      store_wide(y + i, first);
      store_wide(y + i + 32, second);
    }
  }
  for (; i < end; i++) y[i] = table[x[i]];
}

}  // namespace

void lut_s8_avx2(const LutS8Args& args, const Tile& tile) {
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    look_up_run(args.y + row * args.y_stride, args.x + row * args.x_stride, begin, end, args.table);
  });
}

}  // namespace hone
