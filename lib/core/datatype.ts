/** Datatypes of the Open Inference Protocol with their typed arrays: BOOL as bytes of 0 and 1, FP16 as bit patterns. */
export const DATATYPES = {
  FP32: Float32Array,
  FP16: Uint16Array,
  INT64: BigInt64Array,
  INT32: Int32Array,
  INT8: Int8Array,
  UINT8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** Name of such a datatype. */
export type Datatype = keyof typeof DATATYPES;
