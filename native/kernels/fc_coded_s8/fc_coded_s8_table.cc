#include <cstring>

#include "native/kernels/fc_coded_s8/fc_coded_s8_rows.h"

namespace hone {
namespace {

template <const CodedFormat& kFormat>
[[maybe_unused]] size_t packed_bytes(const FcCodedS8Shape& shape) {
  const size_t blocks = (static_cast<size_t>(shape.outputs) + kCodedOutputs - 1) / kCodedOutputs;
  return kCodedTableBytes + blocks * coded_block_bytes(kFormat, shape.inputs);
}

template <const CodedFormat& kFormat>
[[maybe_unused]] void pack(const FcCodedS8Shape& shape, const FcCodedS8Weights& weights, void* packed) {
  const WeightCodes& codes = weights.codes;
  uint8_t* to = static_cast<uint8_t*>(packed);
  memset(to, 0, packed_bytes<kFormat>(shape));
  int8_t elements[16];
  for (int32_t code = 0; code < 16; code++)
    elements[code] = codes.encoding == WeightEncoding::kCodebook
                         ? static_cast<const int8_t*>(codes.table)[code]
                         : static_cast<int8_t>((code ^ 8) - 8);
  memcpy(to, elements, sizeof(elements));
  const size_t block_bytes = coded_block_bytes(kFormat, shape.inputs);
  const uint32_t offset = static_cast<uint32_t>(weights.x_zero_point + kFormat.x_offset);
  for (int32_t n = 0; n < shape.outputs; n++) {
    uint8_t* block = to + kCodedTableBytes + n / kCodedOutputs * block_bytes;
    const int32_t column = n % kCodedOutputs;
    const uint8_t* row = codes.codes + n * code_row_bytes(4, shape.inputs);
    uint32_t sum = 0;
    for (int64_t k = 0; k < shape.inputs; k++) {
      const uint32_t code = unsigned_code(row, 4, k);
      sum += static_cast<uint32_t>(elements[code]);
      const int64_t at =
          (k / kFormat.k_group * kCodedOutputs + column) * kFormat.k_group + k % kFormat.k_group;
      const int64_t vector = at / kFormat.vector;
      uint8_t* byte = block + kCodedHeadBytes + vector / 2 * kFormat.vector + at % kFormat.vector;
      *byte |= static_cast<uint8_t>(code << (vector % 2 * 4));
    }
    const uint32_t bias = static_cast<uint32_t>(weights.bias[n]) - offset * sum;
    memcpy(block + column * sizeof(bias), &bias, sizeof(bias));
    memcpy(block + 64 + column * sizeof(float), weights.multiplier + n, sizeof(float));
  }
}

template <const CodedFormat& kFormat, int32_t kElementBytes>
[[maybe_unused]] size_t scratch_bytes(const FcCodedS8Shape& shape) {
  const int64_t rows = shape.rows < kCodedRows ? shape.rows : kCodedRows;
  return static_cast<size_t>(rows * coded_scratch_stride(kFormat, shape.inputs) * kElementBytes);
}

size_t ref_packed_bytes(const FcCodedS8Shape& shape) {
  return sizeof(int32_t) + static_cast<size_t>(shape.outputs) * (8 + static_cast<size_t>(shape.inputs));
}

void ref_pack(const FcCodedS8Shape& shape, const FcCodedS8Weights& weights, void* packed) {
  const size_t outputs = shape.outputs;
  int32_t* words = static_cast<int32_t*>(packed);
  *words++ = weights.x_zero_point;
  memcpy(words, weights.bias, outputs * sizeof(int32_t));
  memcpy(words + outputs, weights.multiplier, outputs * sizeof(float));
  int8_t* elements = reinterpret_cast<int8_t*>(words + 2 * outputs);
  for (int64_t n = 0; n < shape.outputs; n++)
    decode_row(weights.codes, n, 0, shape.inputs, elements + n * shape.inputs);
}

size_t no_scratch_bytes(const FcCodedS8Shape&) { return 0; }

}  // namespace

const FcCodedS8Row kFcCodedS8Rows[] = {
#if defined(__x86_64__)
    {"fc_coded_s8_avx512vnni",
     kCpuAvx512Vnni,
     kCodedOutputs,
     {"coded_16x4_u8", 1},
     packed_bytes<kFcCodedAvx512VnniFormat>,
     pack<kFcCodedAvx512VnniFormat>,
     scratch_bytes<kFcCodedAvx512VnniFormat, 1>,
     fc_coded_s8_avx512vnni},
    {"fc_coded_s8_avx2",
     kCpuAvx2,
     kCodedOutputs,
     {"coded_16x2", 1},
     packed_bytes<kFcCodedAvx2Format>,
     pack<kFcCodedAvx2Format>,
     scratch_bytes<kFcCodedAvx2Format, 2>,
     fc_coded_s8_avx2},
#elif defined(__aarch64__)
    {"fc_coded_s8_neon_dotprod",
     kCpuNeon | kCpuNeonDotprod,
     kCodedOutputs,
     {"coded_16x4", 1},
     packed_bytes<kFcCodedNeonDotprodFormat>,
     pack<kFcCodedNeonDotprodFormat>,
     scratch_bytes<kFcCodedNeonDotprodFormat, 1>,
     fc_coded_s8_neon_dotprod},
    {"fc_coded_s8_neon",
     kCpuNeon,
     kCodedOutputs,
     {"coded_16x1", 1},
     packed_bytes<kFcCodedNeonFormat>,
     pack<kFcCodedNeonFormat>,
     scratch_bytes<kFcCodedNeonFormat, 1>,
     fc_coded_s8_neon},
#endif
    {"fc_coded_s8_ref",
     kCpuRef,
     1,
     {"fc_coded_s8_plain", 1},
     ref_packed_bytes,
     ref_pack,
     no_scratch_bytes,
     fc_coded_s8_ref},
};
const int kFcCodedS8RowCount = sizeof(kFcCodedS8Rows) / sizeof(kFcCodedS8Rows[0]);

}  // namespace hone
