/**
 * The plan file as tables: constants and record layouts of native/engine/plan_format.h, which is the truth. A test
 * compares the two. docs/formats.md explains the meaning of the fields.
 */

export const PLAN_MAGIC = 'HONEPLAN';
/** The version that is written; every one from 1 on is read. */
export const PLAN_VERSION = 2;
export const PLAN_MAX_RANK = 8;
/** Alignment of sections, constants, arena and state offsets, in bytes. */
export const PLAN_ALIGNMENT = 64;
/** The loader takes windows and tensors under them of fewer positions and elements than this. */
export const PLAN_MAX_WINDOW_REACH = 2 ** 30;
/** Most elements of a pooling window. */
export const PLAN_MAX_POOL_AREA = 2 ** 23;
/** Operand index that means "not there". */
export const PLAN_NONE = 0xffffffff;

/** Element types; the place in the list is the number in the file. */
export const PLAN_TYPES = ['float32', 'int8', 'uint8', 'int32', 'int64', 'bool', 'float16'] as const;
export type PlanType = (typeof PLAN_TYPES)[number];
/** Bytes per element, by type. */
export const PLAN_TYPE_BYTES: Readonly<Record<PlanType, number>> = {
  float32: 4,
  int8: 1,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** Where a tensor lives; the place in the list is the number in the file. */
export const PLAN_PLACES = ['arena', 'constant', 'port', 'state', 'encoded'] as const;

/** How weights are held as codes; the place in the list is the number in the file. The last ones are kept for a later engine. */
export const PLAN_ENCODINGS = ['narrow', 'scaled', 'codebook', 'block_sparse', 'entropy'] as const;
/** Flag of weights: zero points follow the scales. */
export const PLAN_ZERO_POINTS = 1;

/** RecordField types: how many bytes each takes. Composite ones are laid out by LAYOUTS. */
const SCALAR_BYTES = { u8: 1, u16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8 } as const;
type Scalar = keyof typeof SCALAR_BYTES;

/** Records by name: fields in file order. `type*n` is an array; other records may be nested by name. */
export const LAYOUTS = {
  section: { offset: 'u64', count: 'u64' },
  string: { offset: 'u32', bytes: 'u32' },
  header: {
    magic: 'u8*8',
    version: 'u32',
    headerBytes: 'u32',
    fileBytes: 'u64',
    crc32: 'u32',
    reserved: 'u32',
    sourceHash: 'u8*32',
    variants: 'section',
    tensors: 'section',
    nodes: 'section',
    ports: 'section',
    states: 'section',
    operands: 'section',
    params: 'section',
    strings: 'section',
    metadata: 'section',
    weights: 'section',
    encoded: 'section',
    counts: 'section',
  },
  variant: {
    name: 'string',
    firstTensor: 'u32',
    tensorCount: 'u32',
    firstNode: 'u32',
    nodeCount: 'u32',
    firstInput: 'u32',
    inputCount: 'u32',
    firstOutput: 'u32',
    outputCount: 'u32',
    firstState: 'u32',
    stateCount: 'u32',
    arenaBytes: 'u64',
  },
  tensor: {
    name: 'string',
    type: 'u8',
    place: 'u8',
    rank: 'u8',
    reserved: 'u8',
    zeroPoint: 'i32',
    scale: 'f32',
    dims: 'u32*8',
    pitch: 'u32',
    offset: 'u64',
    bytes: 'u64',
  },
  weights: {
    encoding: 'u8',
    type: 'u8',
    bits: 'u8',
    flags: 'u8',
    row: 'u32',
    group: 'u32',
    reserved: 'u32',
    table: 'u64',
    offset: 'u64',
    bytes: 'u64',
  },
  port: { name: 'string', tensor: 'u32', type: 'u8', rank: 'u8', reserved: 'u16', dims: 'u32*8' },
  count: { port: 'u32', axis: 'u32', tensor: 'u32', reserved: 'u32' },
  state: { inputTensor: 'u32', outputTensor: 'u32' },
  node: {
    name: 'string',
    op: 'u16',
    outputCount: 'u16',
    inputCount: 'u16',
    reserved: 'u16',
    firstOperand: 'u32',
    paramsBytes: 'u32',
    paramsOffset: 'u64',
  },
  clamp: { qmin: 'i32', qmax: 'i32', lo: 'f32', hi: 'f32' },
  window: {
    kernelH: 'i32',
    kernelW: 'i32',
    strideH: 'i32',
    strideW: 'i32',
    dilationH: 'i32',
    dilationW: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
  },
  conv: {
    window: 'window',
    groups: 'i32',
    reserved: 'i32',
    clamp: 'clamp',
    convScale: 'f32',
    convZeroPoint: 'i32',
    addClamp: 'clamp',
  },
  pool: { window: 'window', countIncludePad: 'i32', reserved: 'i32', clamp: 'clamp' },
  binary: { operation: 'i32', reserved: 'i32', clamp: 'clamp' },
  unary: { operation: 'i32', alpha: 'f32', beta: 'f32', reserved: 'i32', clamp: 'clamp' },
  reduce: { operation: 'i32', reserved: 'i32', clamp: 'clamp' },
  normalize: { groups: 'i32', centered: 'i32', epsilon: 'f32', reserved: 'i32' },
  extreme: { smallest: 'i32', last: 'i32' },
  top: { count: 'i32', smallest: 'i32' },
  boxes: { centered: 'i32', most: 'i32' },
  scan: { exclusive: 'i32', reverse: 'i32' },
  border: { channelsFirst: 'i32', reserved: 'i32' },
  copy: {
    rank: 'i32',
    reserved: 'i32',
    extents: 'i64*8',
    srcOffset: 'i64',
    dstOffset: 'i64',
    srcStrides: 'i64*8',
    dstStrides: 'i64*8',
  },
  recurrent: {
    cell: 'i32',
    direction: 'i32',
    batch: 'i32',
    batchFirst: 'i32',
    linearBeforeReset: 'i32',
    inputForget: 'i32',
    clip: 'f32',
    reserved: 'i32',
    operations: 'i32*6',
    alphas: 'f32*6',
    betas: 'f32*6',
    lows: 'f32*6',
    highs: 'f32*6',
  },
  matmul: {
    rank: 'i32',
    alpha: 'f32',
    batch: 'i64*8',
    rows: 'i64',
    inputs: 'i64',
    outputs: 'i64',
    aOffset: 'i64',
    bOffset: 'i64',
    aStrides: 'i64*8',
    bStrides: 'i64*8',
    clamp: 'clamp',
  },
  integer: { operation: 'i32', reserved: 'i32' },
  comparison: { comparison: 'i32', reserved: 'i32' },
  axis: { axis: 'i32', reserved: 'i32' },
  skip: { count: 'i32', value: 'i32' },
  scatter: { axis: 'i32', combination: 'i32' },
  fill: { value: 'u32', high: 'u32' },
} as const;

export type LayoutName = keyof typeof LAYOUTS;
type ValueOf<F> = F extends Scalar ? number : F extends LayoutName ? RecordOf<F> : number[];
/** The values of one record, by field name. 64-bit fields are safe integers. */
export type RecordOf<L extends LayoutName> = {
  [F in keyof (typeof LAYOUTS)[L]]: ValueOf<(typeof LAYOUTS)[L][F]>;
};

/** One field of a laid-out record. */
export interface RecordField {
  readonly name: string;
  readonly offset: number;
  /** Scalar type or record name. */
  readonly type: string;
  /** 1 unless the field is an array. */
  readonly length: number;
}

const cache = new Map<string, { bytes: number; fields: readonly RecordField[] }>();

/** Size and field offsets of a record: C layout rules (natural alignment), which the C++ header asserts. */
export function layoutOf(name: LayoutName): { bytes: number; fields: readonly RecordField[] } {
  const known = cache.get(name);
  if (known) return known;
  let end = 0;
  let widest = 1;
  const fields = Object.entries(LAYOUTS[name] as Record<string, string>).map(([field, spec]) => {
    const [type, count] = spec.split('*');
    const length = Number(count ?? 1);
    const { bytes, alignment } = sizeOf(type);
    const offset = alignUp(end, alignment);
    end = offset + bytes * length;
    widest = Math.max(widest, alignment);
    return { name: field, offset, type, length };
  });
  const layout = { bytes: alignUp(end, widest), fields };
  cache.set(name, layout);
  return layout;
}

/** True when `type` is a scalar field type. */
export function isScalar(type: string): type is Scalar {
  return type in SCALAR_BYTES;
}

function sizeOf(type: string): { bytes: number; alignment: number } {
  if (isScalar(type)) return { bytes: SCALAR_BYTES[type], alignment: SCALAR_BYTES[type] };
  const { bytes, fields } = layoutOf(type as LayoutName);
  return { bytes, alignment: Math.max(...fields.map((field) => sizeOf(field.type).alignment)) };
}

/** `value` rounded up to a multiple of `alignment`. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
