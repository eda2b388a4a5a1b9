import { REDUCE_OPS } from '../../lib/compile/families/reduce';
import { BINARY_OPERATIONS } from '../../lib/core/binary-operation';
import type { HoneError } from '../../lib/core/error';
import { REDUCE_OPERATIONS } from '../../lib/core/reduce-operation';
import { UNARY_OPERATIONS } from '../../lib/core/unary-operation';
import { openSession } from '../../lib/engine/session';
import { tensorBytes } from '../../lib/plan/check';
import { PLAN_NONE, PLAN_PLACES, PLAN_TYPE_BYTES, PLAN_TYPES, type PlanType } from '../../lib/plan/format';
import { leastOf } from '../../lib/plan/op-rule';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../lib/plan/plan-ops';
import { readPlan } from '../../lib/plan/reader';
import { writePlan } from '../../lib/plan/writer';
import { PlanFile } from '../plan/plan-file';
import { readPlanOps } from '../tidy/plan-ops';
import { everyOperation } from './every-operation';
import { GRID, PlanBuilder } from './plans';

const SAMPLE = everyOperation();
const BYTES = SAMPLE.write();
const { nodes, tensors } = SAMPLE.variant();

const nodeOf = (op: PlanOp): number => nodes.findIndex(({ name }) => name === op);
/** Index of the tensor of an operand; outputs first. */
const tensorOf = (op: PlanOp, place: number): number => new PlanFile(BYTES).operand(nodeOf(op), place);
const [LAST_STATE, FILLED] = [tensors.length - 1, tensorOf('fill', 0)];

type Change = (file: PlanFile) => void;

/** What the engine answers to the sample after a change: `code: message`, or `opens`. */
function answerTo(change: Change): string {
  const file = new PlanFile(BYTES);
  change(file);
  return answerToPlan(file.bytes());
}

function answerToPlan(bytes: Uint8Array): string {
  try {
    openSession(bytes).close();
    return 'opens';
  } catch (error) {
    const { code, message } = error as HoneError;
    return `${code}: ${message}`;
  }
}

function expectRefusal(words: string, change: Change): void {
  const answer = answerTo(change);
  expect(answer).toMatch(/^E_PLAN_FORMAT: /);
  expect(answer).toContain(words);
}

test('the sample has every operation, opens, and is read back', () => {
  expect(
    nodes
      .slice(1)
      .map(({ op }) => op)
      .sort(),
  ).toEqual([...PLAN_OP_NAMES].sort());
  expect(answerTo(() => undefined)).toBe('opens');
  const params = nodes.flatMap((node, index) =>
    node.params ? [new PlanFile(BYTES).record('nodes', index).paramsOffset] : [],
  );
  expect(new Set(params).size).toBe(params.length);
  expect(writePlan(readPlan(BYTES))).toEqual(BYTES);
});

describe('one field of a record changed', () => {
  test.each<readonly [what: string, words: string, change: Change]>([
    ['no variant', 'there is no variant', (f) => f.setHeader('variants.count', 0)],
    ['a section beyond the file', 'a section is out of bounds', (f) => f.setHeader('tensors.count', 1 << 30)],
    ['an unaligned section', 'a section is out of bounds', (f) => f.setHeader('params.offset', 8)],
    ['a name beyond the strings', 'a name is out of bounds', (f) => f.set('variants', 0, 'name.bytes', 1 << 20)],
    ['a tensor name beyond them', 'name is out of bounds', (f) => f.set('tensors', 3, 'name.offset', 1 << 30)],
    ['a node name beyond them', 'name is out of bounds', (f) => f.set('nodes', 3, 'name.offset', 1 << 30)],
    ['a port name beyond them', 'name is out of bounds', (f) => f.set('ports', 1, 'name.bytes', 1 << 30)],
    ['a variant with a gap', 'do not follow those before', (f) => f.set('variants', 0, 'firstNode', 1)],
    ['a variant beyond the nodes', 'do not follow those before', (f) => f.set('variants', 0, 'nodeCount', 1 << 20)],
    ['an arena above 16 GiB', 'the arena is too large', (f) => f.set('variants', 0, 'arenaBytes', 2 ** 34 + 64)],
    ['an arena that ends early', 'it ends outside its memory', (f) => f.set('variants', 0, 'arenaBytes', 64)],
    ['a type that there is not', 'type or extents', (f) => f.set('tensors', FILLED, 'type', PLAN_TYPES.length)],
    ['an extent of 0', 'type or extents', (f) => f.set('tensors', FILLED, 'dims.0', 0)],
    ['an extent of 2^31', 'type or extents', (f) => f.set('tensors', FILLED, 'dims.0', 2 ** 31)],
    ['rank 9', 'type or extents', (f) => f.set('tensors', FILLED, 'rank', 9)],
    ['another size', 'does not follow from its extents', (f) => f.set('tensors', FILLED, 'bytes', 4096)],
    ['a place that there is not', 'unknown place', (f) => f.set('tensors', FILLED, 'place', PLAN_PLACES.length)],
    ['an unaligned tensor', 'offset is not aligned', (f) => f.set('tensors', FILLED, 'offset', 32)],
    ['an unaligned constant', 'offset is not aligned', (f) => f.set('tensors', tensorOf('fc_s8', 2), 'offset', 1)],
    ['a tensor beyond the arena', 'outside its memory', (f) => f.set('tensors', FILLED, 'offset', SAMPLE.arenaBytes)],
    ['a constant beyond the weights', 'outside its', (f) => f.set('tensors', tensorOf('fc_s8', 2), 'offset', 1 << 20)],
    ['a negative scale', 'scale is not finite and', (f) => f.set('tensors', FILLED, 'scale', -0.5)],
    ['an infinite scale', 'scale is not finite', (f) => f.set('tensors', FILLED, 'scale', Number.POSITIVE_INFINITY)],
    ['a scale of NaN', 'scale is not finite', (f) => f.set('tensors', FILLED, 'scale', Number.NaN)],
    ['a zero point of 128', 'zero point is no int8', (f) => f.set('tensors', FILLED, 'zeroPoint', 128)],
    ['a zero point of -129', 'zero point is no int8', (f) => f.set('tensors', FILLED, 'zeroPoint', -129)],
    ['a port without a tensor', 'no such tensor', (f) => f.set('ports', 0, 'tensor', 1 << 20)],
    ['a port of an arena tensor', 'its tensor is not its own', (f) => f.set('ports', 0, 'tensor', FILLED)],
    ['two ports of one tensor', 'its tensor is not its own', (f) => f.set('ports', 1, 'tensor', 0)],
    ['a port of another type', 'do not fit its tensor', (f) => f.set('ports', 0, 'type', PLAN_TYPES.indexOf('uint8'))],
    ['a port of other extents', 'do not fit its tensor', (f) => f.set('ports', 0, 'dims.0', 5)],
    [
      'a tensor of place port alone',
      'has no port',
      (f) => f.set('tensors', FILLED, 'place', PLAN_PLACES.indexOf('port')),
    ],
    ['a state without a tensor', 'refers to no tensor', (f) => f.set('states', 0, 'outputTensor', 1 << 20)],
    ['a state in the arena', 'pairs unlike tensors', (f) => f.set('states', 0, 'inputTensor', FILLED)],
    ['a state of another zero point', 'pairs unlike', (f) => f.set('tensors', LAST_STATE, 'zeroPoint', 4)],
    ['a state of another scale', 'pairs unlike', (f) => f.set('tensors', LAST_STATE, 'scale', 0.75)],
    [
      'a state of another type',
      'pairs unlike',
      (f) => f.set('tensors', LAST_STATE, 'type', PLAN_TYPES.indexOf('uint8')),
    ],
    ['states on each other', 'states overlap', (f) => f.set('tensors', LAST_STATE, 'offset', 0)],
    ['a number that no operation has', 'unknown operation', (f) => f.set('nodes', 1, 'op', PLAN_OP_NAMES.length)],
    ['an operand that is no tensor', 'an operand is no tensor', (f) => f.setOperand(1, 1, 1 << 20)],
    ['operands beyond their section', 'operands are out of', (f) => f.set('nodes', 1, 'firstOperand', 1 << 20)],
    ['a constant written', 'it writes a constant', (f) => f.setOperand(nodeOf('fill'), 0, tensorOf('fc_s8', 2))],
    ['an input written', 'it writes an input', (f) => f.setOperand(nodeOf('fill'), 0, 0)],
    ['parameters of another size', 'parameters are', (f) => f.set('nodes', nodeOf('fill'), 'paramsBytes', 16)],
    ['unaligned parameters', 'parameters are out', (f) => f.set('nodes', nodeOf('fill'), 'paramsOffset', 4)],
    ['parameters elsewhere', 'parameters are out', (f) => f.set('nodes', nodeOf('fill'), 'paramsOffset', 1 << 20)],
  ])('%s', (_, words, change) => expectRefusal(words, change));
});

/** For each type one that no operand takes in its place. */
const OTHERS: Readonly<Record<PlanType, PlanType>> = {
  float32: 'int32',
  int32: 'float32',
  int64: 'float32',
  int8: 'uint8',
  uint8: 'bool',
  bool: 'uint8',
  float16: 'bool',
};

describe.each(readPlanOps())('operands of $word', (row) => {
  const op = row.word as PlanOp;
  const rule = PLAN_OPS[op];
  const operands = [...row.outputs, ...row.inputs];
  const outputs = row.outputs.length;

  test('their number', () => {
    for (const [field, names] of [
      ['outputCount', rule.outputs],
      ['inputCount', rule.inputs],
    ] as const)
      for (const count of [leastOf(names) - 1, names.length + 1].filter((wrong) => wrong >= 0))
        expectRefusal('number of operands', (f) => f.set('nodes', nodeOf(op), field, count));
  });

  test.each(operands.map((operand, place) => [operand.name, operand, place] as const))('%s', (name, operand, place) => {
    const tensor = tensorOf(op, place);
    const missing: Change = (f) => f.setOperand(nodeOf(op), place, PLAN_NONE);
    // Outputs that are left out are not counted: that needs another plan.
    if (operand.optional && place >= outputs) expect(answerTo(missing)).toBe('opens');
    else expectRefusal('an operand is no tensor', missing);
    const { type } = tensors[tensor];
    const wrong = operand.kind === 'kNumber' ? 'float16' : OTHERS[type];
    const retyped: Change = (f) => {
      f.set('tensors', tensor, 'type', PLAN_TYPES.indexOf(wrong));
      f.set('tensors', tensor, 'bytes', tensorBytes({ ...tensors[tensor], type: wrong }));
    };
    if (operand.kind !== 'kAny' && operand.kind !== 'kByte') expectRefusal(`${name} is not`, retyped);
    if (operand.kind === 'kGrid')
      expectRefusal(`${name} is not int8 with a scale`, (f) => f.set('tensors', tensor, 'scale', 0));
    if (operand.kind === 'kByte')
      expectRefusal(`${name} is not int8 or uint8`, (f) => {
        f.set('tensors', tensor, 'type', PLAN_TYPES.indexOf('float32'));
        f.set('tensors', tensor, 'bytes', 400);
      });
    if (operand.kind.startsWith('kConst'))
      expectRefusal(`${name} is not a constant`, (f) => {
        f.set('tensors', tensor, 'place', PLAN_PLACES.indexOf('arena'));
        f.set('tensors', tensor, 'offset', 0);
      });
  });

  test('y on an input', () => {
    for (const [index, { name, kind, inPlace }] of row.inputs.entries()) {
      if (kind.startsWith('kConst')) continue;
      const [y, x] = [tensorOf(op, 0), tensorOf(op, outputs + index)];
      const { offset, bytes } = new PlanFile(BYTES).record('tensors', x);
      const onto = (at: number) => (f: PlanFile) => f.set('tensors', y, 'offset', at);
      const words = 'its output overlaps an input';
      expect([name, answerTo(onto(offset))]).toEqual([name, inPlace ? 'opens' : expect.stringContaining(words)]);
      // In part: one step of alignment further, never element for element.
      if (bytes > 64) expectRefusal(words, onto(offset + 64));
    }
  });
});

const CONVOLUTIONS = ['conv_s8', 'dwconv_s8', 'conv_f32', 'dwconv_f32'] as const;
const POOLS = ['max_pool_s8', 'average_pool_s8', 'max_pool_f32', 'average_pool_f32'] as const;
const PRODUCTS = ['matmul_f32', 'matmul_s8'] as const;
const WINDOWS = [...CONVOLUTIONS, ...POOLS];
/** Operations with bounds, and what stands before the fields of theirs. */
const CLAMPS: readonly (readonly [PlanOp, string])[] = [
  ...CONVOLUTIONS.map((op) => [op, 'clamp.'] as const),
  ['conv_s8', 'addClamp.'],
  ['binary_s8', 'clamp.'],
  ['binary_f32', 'clamp.'],
  ['unary_f32', 'clamp.'],
  ['matmul_f32', 'clamp.'],
  ['matmul_s8', 'clamp.'],
  ['fc_s8', ''],
  ['fc_f32', ''],
  ['clamp_f32', ''],
];

type Field = readonly [path: string, value: number];

describe('one parameter changed', () => {
  const rows: readonly (readonly [ops: readonly PlanOp[], words: string, ...fields: Field[]])[] = [
    [['quantize_s8', 'dequantize_s8'], 'channels_first is no flag', ['channelsFirst', 2]],
    [['quantize_s8'], 'extents of operands', ['channelsFirst', 0]],
    ...(['kernelH', 'kernelW', 'strideH', 'strideW', 'dilationH', 'dilationW'] as const).flatMap((field) => [
      [WINDOWS, 'window', [`window.${field}`, 0]] as const,
      [WINDOWS, 'window', [`window.${field}`, 2 ** 30]] as const,
    ]),
    ...(['padTop', 'padLeft'] as const).flatMap((field) => [
      [WINDOWS, 'window', [`window.${field}`, -1]] as const,
      [WINDOWS, 'window', [`window.${field}`, 2 ** 30]] as const,
      [WINDOWS, 'the padded input is out of proportion', [`window.${field}`, 2 ** 24]] as const,
    ]),
    [CONVOLUTIONS, 'channels', ['groups', 0]],
    [CONVOLUTIONS, 'channels', ['groups', 3]],
    [CONVOLUTIONS, 'channels', ['groups', 4]],
    [CONVOLUTIONS, 'extents of the weights', ['window.kernelH', 3]],
    [CONVOLUTIONS, 'extents of the weights', ['window.kernelW', 1]],
    [['conv_s8'], 'scale of the convolution before the sum', ['convScale', 0]],
    [['conv_s8'], 'scale of the convolution before the sum', ['convScale', -1]],
    [['conv_s8'], 'scale of the convolution before the sum', ['convScale', Number.NaN]],
    [['conv_s8'], 'scale of the convolution before the sum', ['convScale', Number.POSITIVE_INFINITY]],
    [['conv_s8'], 'zero point of the convolution before the sum', ['convZeroPoint', 128]],
    [['conv_s8'], 'zero point of the convolution before the sum', ['convZeroPoint', -129]],
    ...CLAMPS.flatMap(([op, prefix]) => [
      [[op], 'int8 bounds', [`${prefix}qmin`, -129]] as const,
      [[op], 'int8 bounds', [`${prefix}qmax`, 128]] as const,
      [[op], 'int8 bounds', [`${prefix}qmin`, 5], [`${prefix}qmax`, 4]] as const,
      [[op], 'float bounds', [`${prefix}lo`, Number.NaN]] as const,
      [[op], 'float bounds', [`${prefix}hi`, Number.NaN]] as const,
      [[op], 'float bounds', [`${prefix}lo`, 5], [`${prefix}hi`, 4]] as const,
    ]),
    [POOLS, 'count_include_pad is no flag', ['countIncludePad', 2]],
    [POOLS, 'this pool takes no bounds', ['clamp.lo', 0]],
    [POOLS, 'this pool takes no bounds', ['clamp.hi', 6]],
    [POOLS.filter((op) => op !== 'average_pool_s8'), 'this pool takes no bounds', ['clamp.qmin', -127]],
    [POOLS.filter((op) => op !== 'average_pool_s8'), 'this pool takes no bounds', ['clamp.qmax', 126]],
    [['average_pool_s8'], 'int8 bounds', ['clamp.qmin', -129]],
    [['average_pool_s8'], 'int8 bounds', ['clamp.qmax', 128]],
    [['binary_s8', 'binary_f32', 'unary_f32', 'reduce_f32'], 'operation', ['operation', -1]],
    [['reduce_f32'], 'operation', ['operation', REDUCE_OPERATIONS.length]],
    [['unary_f32'], 'operation', ['operation', UNARY_OPERATIONS.length]],
    [['binary_s8', 'binary_f32'], 'operation', ['operation', BINARY_OPERATIONS.length]],
    [PRODUCTS, 'rank', ['rank', -1]],
    [PRODUCTS, 'rank', ['rank', 7]],
    ...(['batch.0', 'rows', 'inputs', 'outputs'] as const).flatMap((field) => [
      [PRODUCTS, 'extents', [field, 0]] as const,
      [PRODUCTS, 'extents', [field, 2 ** 30]] as const,
    ]),
    [PRODUCTS, 'extents of operands', ['batch.0', 2]],
    [PRODUCTS, 'extents of operands', ['rows', 10]],
    [PRODUCTS, 'extents of operands', ['outputs', 25], ['rows', 1]],
    [PRODUCTS, 'it reads outside a', ['inputs', 6]],
    [PRODUCTS, 'it reads outside a', ['aOffset', 2]],
    [PRODUCTS, 'it reads outside a', ['aOffset', -1]],
    [PRODUCTS, 'it reads outside a', ['aStrides.0', -1]],
    [PRODUCTS, 'it reads outside b', ['bOffset', 21]],
    [PRODUCTS, 'it reads outside b', ['bStrides.1', 2]],
    [PRODUCTS, 'it reads outside b', ['bStrides.2', 2 ** 62]],
    [['matmul_s8'], 'alpha', ['alpha', 0.5]],
    // Factors reach 131 from their zero points of 3, and 125138 * 131^2 is above 2^31.
    [['matmul_s8'], 'a sum can overflow', ['inputs', 125138], ['aStrides.2', 0], ['bStrides.1', 0]],
    [['normalize_f32'], 'groups', ['groups', 0]],
    [['normalize_f32'], 'groups', ['groups', -1]],
    [['normalize_f32'], 'groups', ['groups', 4]],
    [['normalize_f32'], 'centered is no flag', ['centered', 2]],
    [['normalize_f32'], 'epsilon', ['epsilon', -1]],
    [['normalize_f32'], 'epsilon', ['epsilon', Number.NaN]],
    [['normalize_f32'], 'epsilon', ['epsilon', Number.POSITIVE_INFINITY]],
    ...[-1, 3].map((cell) => [['recurrent_f32'], 'cell', ['cell', cell]] as const),
    ...[-1, 3].map((direction) => [['recurrent_f32'], 'direction', ['direction', direction]] as const),
    ...(['batchFirst', 'linearBeforeReset', 'inputForget'] as const).map(
      (flag) => [['recurrent_f32'], 'a flag is neither 0 nor 1', [flag, 2]] as const,
    ),
    [['recurrent_f32'], 'weights', ['cell', 1]],
    [['recurrent_f32'], 'weights', ['direction', 1]],
    [['recurrent_f32'], 'extents of operands', ['batch', 0]],
    [['recurrent_f32'], 'batch', ['batch', 4]],
    [['recurrent_f32'], 'extents of a state', ['batch', 2]],
    [['recurrent_f32'], 'clip', ['clip', 0]],
    [['recurrent_f32'], 'clip', ['clip', Number.NaN]],
    [['recurrent_f32'], 'operation', ['operations.5', UNARY_OPERATIONS.length]],
    [['recurrent_f32'], 'operation', ['operations.0', -1]],
    [['recurrent_f32'], 'bounds of a function', ['lows.2', 1], ['highs.2', 0]],
    [['recurrent_f32'], 'bounds of a function', ['lows.3', Number.NaN]],
    [['arg_extreme'], 'a flag is neither 0 nor 1', ['smallest', 2]],
    [['arg_extreme'], 'a flag is neither 0 nor 1', ['last', -1]],
    [['cumulative_sum'], 'a flag is neither 0 nor 1', ['exclusive', 2]],
    [['cumulative_sum'], 'a flag is neither 0 nor 1', ['reverse', 2]],
    [['top_k'], 'a flag is neither 0 nor 1', ['smallest', 2]],
    [['top_k'], 'count', ['count', 21]],
    [['non_max_suppression'], 'a flag is neither 0 nor 1', ['centered', 2]],
    [['non_max_suppression'], 'extents of operands', ['most', 4]],
    [['non_max_suppression'], 'extents of operands', ['most', 0]],
    [['copy_nd'], 'rank', ['rank', 0]],
    [['copy_nd'], 'rank', ['rank', 9]],
    [['copy_nd'], 'extents', ['extents.0', 0]],
    [['copy_nd'], 'extents', ['extents.0', 2 ** 34 + 1]],
    [['copy_nd'], 'it reads outside x', ['srcOffset', -1]],
    [['copy_nd'], 'it reads outside x', ['srcOffset', 1]],
    [['copy_nd'], 'it reads outside x', ['srcStrides.1', 3]],
    [['copy_nd'], 'it reads outside x', ['srcStrides.0', -1]],
    [['copy_nd'], 'it reads outside x', ['extents.0', 3]],
    [['copy_nd'], 'it writes outside y', ['dstOffset', 1]],
    [['copy_nd'], 'it writes outside y', ['dstStrides.0', 4]],
    [['copy_nd'], 'it writes outside y', ['dstStrides.1', -1]],
    [['copy_nd'], 'it writes an element twice', ['dstStrides.0', 0]],
    [['copy_nd'], 'it writes an element twice', ['dstStrides.0', 1]],
    // A step of 2 behind runs of 3 elements meets the last one of each again: as far as the runs reach, and no further.
    [['copy_nd'], 'it writes an element twice', ['dstStrides.0', 2]],
  ];
  test.each(rows.flatMap(([ops, words, ...fields]) => ops.map((op) => [op, fields.join(' '), words, fields] as const)))(
    '%s: %s',
    (op, _, words, fields) =>
      expectRefusal(words, (f) => {
        for (const [path, value] of fields) f.setParams(nodeOf(op), path, value);
      }),
  );

  test.each<readonly [op: PlanOp, path: string, value: number]>([
    ['average_pool_s8', 'clamp.qmin', -127],
    ['conv_s8', 'clamp.lo', 0],
    ['conv_s8', 'convZeroPoint', -128],
    ['clamp_f32', 'lo', 6],
    ['copy_nd', 'extents.0', 1],
    ['matmul_f32', 'alpha', 0],
  ])('%s with %s %d opens', (op, path, value) => {
    expect(answerTo((f) => f.setParams(nodeOf(op), path, value))).toBe('opens');
  });
});

test('sums of int8 products just below 2^31 are taken', () => {
  const answer = answerTo((f) => {
    f.setParams(nodeOf('matmul_s8'), 'inputs', 125137);
    f.setParams(nodeOf('matmul_s8'), 'aStrides.2', 0);
    f.setParams(nodeOf('matmul_s8'), 'bStrides.1', 0);
  });
  expect(answer).toBe('opens');
});

describe('extents that do not fit together', () => {
  /** Gives the tensor of an operand other extents; its size follows. */
  const reshape = (op: PlanOp, place: number, dims: readonly number[]): Change => {
    const tensor = tensorOf(op, place);
    const size = PLAN_TYPE_BYTES[tensors[tensor].type];
    return (f) => {
      f.set('tensors', tensor, 'rank', dims.length);
      for (const [axis, dim] of dims.entries()) f.set('tensors', tensor, `dims.${axis}`, dim);
      f.set(
        'tensors',
        tensor,
        'bytes',
        dims.reduce((product, dim) => product * dim, size),
      );
    };
  };
  const fitting: readonly (readonly [ops: readonly PlanOp[], place: number, dims: readonly number[], words: string])[] =
    [
      [['quantize_s8'], 0, [1, 4, 8, 4], 'extents of operands'],
      [['quantize_s8'], 1, [1, 8, 16], 'extents of operands'],
      [['dequantize_s8'], 1, [5, 3], 'extents of operands'],
      [WINDOWS, 1, [2, 2, 4, 8], 'extents of operands'],
      [WINDOWS, 1, [4, 4, 8], 'extents of operands'],
      [WINDOWS, 0, [16, 8], 'extents of operands'],
      [POOLS, 1, [1, 4, 8, 4], 'channels'],
      [['conv_s8', 'conv_f32'], 2, [2, 2, 32], 'extents of the weights'],
      [['conv_s8', 'conv_f32'], 2, [8, 2, 2, 1], 'channels'],
      [['conv_s8', 'conv_f32'], 2, [4, 2, 2, 4], 'channels'],
      [['dwconv_s8', 'dwconv_f32'], 2, [2, 2, 2, 4], 'extents of the weights'],
      [['dwconv_s8', 'dwconv_f32'], 2, [2, 2, 4], 'channels'],
      [['conv_s8', 'dwconv_s8', 'conv_f32', 'dwconv_f32'], 3, [4], 'bias'],
      [['conv_s8', 'dwconv_s8'], 4, [4], 'multipliers'],
      [['conv_s8', 'dwconv_s8'], 5, [4], 'zero points of the weights'],
      [['conv_s8'], 6, [4, 4, 8], 'residual'],
      [['conv_s8'], 6, [1, 4, 8, 4], 'residual'],
      [['fc_s8', 'fc_f32'], 2, [9], 'weights'],
      [['fc_s8', 'fc_f32'], 2, [2, 4], 'extents of operands'],
      [['fc_s8', 'fc_f32'], 0, [2, 2], 'extents of operands'],
      [['fc_s8', 'fc_f32'], 3, [2], 'bias'],
      [['fc_s8'], 4, [2], 'multipliers'],
      [['fc_s8'], 5, [2], 'zero points of the weights'],
      [['binary_s8', 'binary_f32'], 1, [50], 'extents of operands'],
      [['binary_s8', 'binary_f32'], 2, [40], 'extents of operands'],
      [['lut_s8', 'clamp_f32', 'unary_f32'], 1, [50], 'extents of operands'],
      [['lut_s8'], 2, [128], 'the table is not 256 bytes of uint8'],
      [['softmax_f32'], 1, [50, 2], 'extents of operands'],
      [['softmax_f32'], 1, [1, 50], 'extents of operands'],
      [['softmax_f32'], 1, [], 'extents of operands'],
      ...[[100], [25, 4], [4, 5, 5], [2, 2, 5, 5]].map(
        (dims) => [[...REDUCE_OPS, 'reduce_f32'], 1, dims, 'extents of operands'] as const,
      ),
      ...[[], [2], [2, 2]].map((dims) => [[...REDUCE_OPS, 'reduce_f32'], 0, dims, 'extents of operands'] as const),
      [['interpolate_f32'], 0, [2, 3, 16], 'extents of operands'],
      [['interpolate_f32'], 1, [8, 17], 'extents of operands'],
      [['interpolate_f32'], 2, [2, 3], 'extents of weights and indices'],
      [['interpolate_f32'], 3, [3], 'extents of weights and indices'],
      [['interpolate_f32'], 1, [2, 3, 17], 'an index is outside x'],
      [PRODUCTS, 0, [10, 10], 'extents of operands'],
      [PRODUCTS, 0, [4, 5, 4], 'extents'],
      [PRODUCTS, 1, [98], 'it reads outside a'],
      [PRODUCTS, 2, [99], 'it reads outside b'],
      [['normalize_f32'], 0, [2, 6, 5], 'extents of operands'],
      [['normalize_f32'], 1, [10, 6], 'extents of operands'],
      [['normalize_f32'], 2, [5], 'extents of operands'],
      [['normalize_f32'], 3, [6, 1], 'extents of operands'],
      [['recurrent_f32'], 0, [24, 4], 'extents of operands'],
      [['recurrent_f32'], 0, [11, 8], 'extents of operands'],
      [['recurrent_f32'], 1, [5, 8], 'extents of a state'],
      [['recurrent_f32'], 2, [7, 8], 'extents of a state'],
      [['recurrent_f32'], 3, [12, 32], 'extents of operands'],
      [['recurrent_f32'], 4, [64, 8], 'weights'],
      [['recurrent_f32'], 4, [2, 8, 32], 'weights'],
      [['recurrent_f32'], 5, [2, 16], 'constants of the cell'],
      [['recurrent_f32'], 6, [7, 8], 'extents of a state'],
      [['recurrent_f32'], 7, [5, 8], 'extents of a state'],
      [['arg_extreme'], 1, [25, 4], 'extents of operands'],
      [['cumulative_sum'], 0, [2, 10, 5], 'extents of operands'],
      [['top_k'], 0, [20, 4], 'extents of operands'],
      [['top_k'], 1, [20, 4], 'extents of operands'],
      [['top_k'], 2, [5, 20], 'extents of operands'],
      [['top_k'], 2, [4, 10], 'extents of operands'],
      [['require'], 1, [25, 4], 'extents of operands'],
      [['require'], 2, [2], 'extents of operands'],
      [['non_zero'], 0, [20, 2], 'extents of operands'],
      [['non_zero'], 0, [2, 19], 'extents of operands'],
      [['non_zero'], 1, [2], 'types of operands'],
      [['non_zero'], 2, [20], 'extents of operands'],
      [['non_max_suppression'], 0, [3, 10], 'extents of operands'],
      [['non_max_suppression'], 1, [2], 'a number is no int64 of one element'],
      [['non_max_suppression'], 2, [4], 'extents of operands'],
      [['non_max_suppression'], 3, [1, 4, 5], 'extents of operands'],
      [['non_max_suppression'], 4, [1, 5, 2], 'extents of operands'],
      ...[5, 6, 7, 8].map((place) => [['non_max_suppression'], place, [2], 'no int64 or float32 of one'] as const),
      [['copy_nd'], 1, [5], 'it reads outside x'],
      [['copy_nd'], 0, [5], 'it writes outside y'],
    ];
  test.each(fitting.flatMap(([ops, ...rest]) => ops.map((op) => [op, ...rest] as const)))(
    '%s, operand %d as [%s]: %s',
    (op, place, dims, words) => expectRefusal(words, reshape(op, place, dims)),
  );

  test('a copy between types', () => {
    const retyped: Change = (f) => f.set('tensors', tensorOf('copy_nd', 0), 'type', PLAN_TYPES.indexOf('uint8'));
    expectRefusal('types of operands', retyped);
  });

  test('scales whose ratio is no float32', () => {
    for (const op of ['average_pool_s8', 'matmul_s8'] as const)
      for (const [x, y] of [
        [1e38, 1e-30],
        [1e-38, 1e30],
      ])
        expectRefusal('ratio of scales', (f) => {
          f.set('tensors', tensorOf(op, 1), 'scale', x);
          f.set('tensors', tensorOf(op, 0), 'scale', y);
        });
  });
});

describe.each([
  { op: 'conv_s8', outputs: 8, count: 16 },
  { op: 'dwconv_s8', outputs: 8, count: 4 },
  { op: 'fc_s8', outputs: 3, count: 3 },
] as const)('numbers of $op', ({ op, outputs, count }) => {
  const [bias, multiplier, zeroPoints] = [3, 4, 5].map((place) => tensorOf(op, place));

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a multiplier of %d', (value) =>
    expectRefusal('a multiplier is not finite and positive', (f) => f.setConstant(multiplier, outputs - 1, value)),
  );

  test('an accumulator that reaches 2^31, and one just below', () => {
    // Weights of 3 less a zero point of 1, inputs up to 131 from their zero point of 3.
    const products = 131 * count * (3 - 1);
    for (const channel of [0, outputs - 1])
      for (const sign of [1, -1]) {
        const full = sign * (2 ** 31 - products);
        const words = `the accumulator of output channel ${channel} can overflow`;
        expectRefusal(words, (f) => f.setConstant(bias, channel, full));
        expect(answerTo((f) => f.setConstant(bias, channel, full - sign))).toBe('opens');
      }
  });

  test('zero points of weights and inputs count', () => {
    const words = 'the accumulator of output channel 0 can overflow';
    const almost = 2 ** 31 - 131 * count * 2 - 1;
    expectRefusal(words, (f) => {
      f.setConstant(bias, 0, almost);
      f.setConstant(zeroPoints, 0, 0);
    });
    for (const zeroPoint of [-128, 127])
      expectRefusal(words, (f) => {
        f.setConstant(bias, 0, almost);
        f.set('tensors', tensorOf(op, 1), 'zeroPoint', zeroPoint);
      });
  });
});

describe('plans that cost too much to open', () => {
  test('pooling windows above 2^23 elements, alone and together', () => {
    const pools = (op: 'max_pool_f32' | 'average_pool_s8', kernel: number, count: number): string => {
      const b = new PlanBuilder();
      const [type, grid] = op === 'max_pool_f32' ? (['float32', {}] as const) : (['int8', GRID] as const);
      const window = { kernel: [kernel, kernel], stride: [1, 1], dilation: [1, 1], pad: [0, 0] } as const;
      for (let i = 0; i < count; i++) {
        const [x, y] = [b.arena(type, [1, 1024, 1024, 1], grid), b.arena(type, [1, 1, 1, 1], grid)];
        b.node({ op, outputs: [y], inputs: [x], params: { window } });
      }
      return answerToPlan(b.write());
    };
    expect(pools('max_pool_f32', 2896, 1)).toBe('opens');
    expect(pools('max_pool_f32', 2897, 1)).toMatch(/^E_PLAN_FORMAT: .*: window/);
    expect(pools('average_pool_s8', 2048, 3)).toMatch(/^E_PLAN_FORMAT: .*the windows of all average pools/);
  });

  test('large weights that too many nodes share', () => {
    const b = new PlanBuilder();
    const [x, y] = [b.arena('int8', [1, 512], GRID), b.arena('int8', [1, 512], GRID)];
    const layer = [new Int8Array(512 * 512), new Int32Array(512), new Float32Array(512).fill(1)];
    const constants = layer.map((content, i) => b.constant(content, i === 0 ? [512, 512] : [512]));
    for (let i = 0; i < 1400; i++)
      b.node({ name: '', op: 'fc_s8', outputs: [y], inputs: [x, ...constants], params: {} });
    expect(answerToPlan(b.write())).toMatch(/^E_PLAN_FORMAT: .*too many nodes share large weights/);
  });
});

describe('recurrent cells with operands that they have not', () => {
  const plan = (cell: 'rnn' | 'gru', linearBeforeReset: boolean, last: number, inputs: readonly string[]): string => {
    const gates = cell === 'gru' ? 3 : 1;
    const b = new PlanBuilder();
    const real = (dims: readonly number[]) => b.arena('float32', dims);
    const constant = (dims: readonly number[]) => b.constant(new Float32Array(dims.reduce((a, c) => a * c, 1)), dims);
    const operands: Readonly<Record<string, () => number>> = {
      cell: () => constant([1, 4]),
      h: () => real([1, 4]),
      c: () => real([1, 4]),
    };
    b.node({
      op: 'recurrent_f32',
      outputs: [real([1, 4]), real([1, 4]), real([1, 4])].slice(0, 1 + last),
      inputs: [
        real([1, gates * 4]),
        constant([1, gates * 4, 4]),
        ...['cell', 'h', 'c'].map((name) => (inputs.includes(name) ? operands[name]() : null)),
      ],
      params: {
        ...{ cell, direction: 'forward', batch: 1, batchFirst: false, linearBeforeReset, inputForget: false, clip: 1 },
        functions: new Array(6).fill({ operation: 'tanh', alpha: 0, beta: 0, lo: -1, hi: 1 }),
      },
    });
    return answerToPlan(b.write());
  };

  test.each([
    ['rnn', false, 1, ['h'], 'opens'],
    ['gru', true, 0, ['cell'], 'opens'],
    ['gru', false, 1, ['cell'], 'this cell has no constants of its own'],
    ['rnn', true, 1, ['cell'], 'this cell has no constants of its own'],
    ['gru', true, 1, ['c'], 'this cell has one state'],
    ['rnn', false, 2, [], 'this cell has one state'],
  ] as const)('%s, linear before reset %s, %d last states, with %j: %s', (cell, linear, last, inputs, answer) => {
    expect(plan(cell, linear, last, inputs)).toContain(answer);
  });
});
