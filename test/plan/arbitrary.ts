import fc from 'fast-check';
import { BINARY_OPERATIONS } from '../../lib/core/binary-operation';
import { COMPARISONS } from '../../lib/core/comparison';
import { INTEGER_OPERATIONS } from '../../lib/core/integer-operation';
import { RECURRENT_CELLS, RECURRENT_DIRECTIONS } from '../../lib/core/recurrent-cell';
import { REDUCE_OPERATIONS } from '../../lib/core/reduce-operation';
import { UNARY_OPERATIONS } from '../../lib/core/unary-operation';
import { tensorBytes } from '../../lib/plan/check';
import {
  type PlanDescription,
  type PlanNode,
  type PlanTensor,
  type PlanVariant,
  type PlanWeights,
  SCATTER_COMBINATIONS,
} from '../../lib/plan/description';
import { PLAN_TYPE_BYTES, PLAN_TYPES } from '../../lib/plan/format';
import { leastOf } from '../../lib/plan/op-rule';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../lib/plan/plan-ops';

const float = fc.float({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
const name = fc.string({ unit: 'binary', maxLength: 12 });
const small = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const safe = fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 });
const pair = fc.tuple(small, small);
const clamp = fc.record({ qmin: small, qmax: small, lo: float, hi: float });
const window = fc.record({ kernel: pair, stride: pair, dilation: pair, pad: pair });
const zeroPoint = fc.integer({ min: -128, max: 127 });

const anyUnary = fc.constantFrom(...UNARY_OPERATIONS.map((operation) => operation.name));

const PARAMS: Record<string, fc.Arbitrary<unknown>> = {
  border: fc.record({ channelsFirst: fc.boolean() }),
  conv: fc.record({ window, groups: small, clamp }),
  clamp,
  binary: fc.record({ operation: fc.constantFrom(...BINARY_OPERATIONS.map((operation) => operation.name)), clamp }),
  unary: fc.record({
    operation: anyUnary,
    alpha: float,
    beta: float,
    clamp,
  }),
  reduce: fc.record({ operation: fc.constantFrom(...REDUCE_OPERATIONS.map((operation) => operation.name)), clamp }),
  normalize: fc.record({ groups: small, centered: fc.boolean(), epsilon: float }),
  extreme: fc.record({ smallest: fc.boolean(), last: fc.boolean() }),
  top: fc.record({ count: small, smallest: fc.boolean() }),
  boxes: fc.record({ centered: fc.boolean(), most: small }),
  scan: fc.record({ exclusive: fc.boolean(), reverse: fc.boolean() }),
  pool: fc.record({ window, countIncludePad: fc.boolean(), clamp }),
  copy: fc.integer({ min: 1, max: 8 }).chain((rank) => {
    const list = fc.array(safe, { minLength: rank, maxLength: rank });
    return fc.record({ extents: list, srcOffset: safe, dstOffset: safe, srcStrides: list, dstStrides: list });
  }),
  matmul: fc.integer({ min: 0, max: 6 }).chain((rank) => {
    const list = (length: number) => fc.array(safe, { minLength: length, maxLength: length });
    const strides = { aStrides: list(rank + 2), bStrides: list(rank + 2), aOffset: safe, bOffset: safe };
    return fc.record({ ...strides, batch: list(rank), rows: safe, inputs: safe, outputs: safe, alpha: float, clamp });
  }),
  integer: fc.record({ operation: fc.constantFrom(...INTEGER_OPERATIONS.map((operation) => operation.name)) }),
  comparison: fc.record({ comparison: fc.constantFrom(...COMPARISONS.map((comparison) => comparison.name)) }),
  axis: fc.record({ axis: small }),
  skip: fc.record({ count: small, value: fc.boolean() }),
  scatter: fc.record({ axis: small, combination: fc.constantFrom(...SCATTER_COMBINATIONS) }),
  fill: fc.record({ value: fc.integer({ min: 0, max: 2 ** 32 - 1 }), high: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
  recurrent: fc.record({
    cell: fc.constantFrom(...RECURRENT_CELLS),
    direction: fc.constantFrom(...RECURRENT_DIRECTIONS),
    batch: small,
    batchFirst: fc.boolean(),
    linearBeforeReset: fc.boolean(),
    inputForget: fc.boolean(),
    clip: float,
    functions: fc.array(fc.record({ operation: anyUnary, alpha: float, beta: float, lo: float, hi: float }), {
      minLength: 6,
      maxLength: 6,
    }),
  }),
};

function nodeOf(op: PlanOp, tensorCount: number): fc.Arbitrary<PlanNode> {
  const { inputs, outputs, params } = PLAN_OPS[op];
  const index = fc.nat(tensorCount - 1);
  const operand = (word: string) => (word.endsWith('?') ? fc.option(index) : index);
  const residual = fc.record({ scale: float, zeroPoint: small, clamp });
  return fc
    .record({
      name,
      op: fc.constant(op),
      outputs: fc.array(index, { minLength: leastOf(outputs), maxLength: outputs.length }),
      inputs: fc.tuple(...inputs.map(operand)),
      ...(params ? { params: PARAMS[params] } : {}),
      residual,
    })
    .map(({ residual, ...node }) => {
      if (op !== 'conv_s8' || node.inputs[5] === null) return node;
      return { ...node, params: { ...(node.params as object), residual } };
    }) as fc.Arbitrary<PlanNode>;
}

function tensorOf(constants: readonly Uint8Array[]): fc.Arbitrary<PlanTensor> {
  const base = fc.record({ name, type: fc.constantFrom(...PLAN_TYPES), scale: float.map(Math.abs), zeroPoint });
  const dims = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 });
  const offset = fc.nat(1000).map((blocks) => blocks * 64);
  const constant = fc.record({ place: fc.constant('constant'), constant: fc.nat(constants.length - 1) });
  const place = fc.oneof(
    constant,
    fc.record({ place: fc.constantFrom('arena', 'state'), offset }),
    fc.record({ place: fc.constant('port') }),
  ) as fc.Arbitrary<{ place: string; constant?: number }>;
  return fc.tuple(base, dims, place, fc.nat(4)).map(([head, extents, where, gap]) => {
    const bytes = where.constant === undefined ? 0 : constants[where.constant].length;
    const shape = where.constant === undefined ? extents : [bytes / PLAN_TYPE_BYTES[head.type]];
    const pitch = where.place === 'arena' && gap > 0 ? (shape.at(-1) ?? 1) + gap - 1 : 0;
    return { ...head, dims: shape, pitch, ...where } as PlanTensor;
  });
}

/** Weights as codes of every kind, each with constants of its own behind those that are there. */
const ENCODED: readonly (Omit<PlanWeights, 'codes' | 'table'> & { readonly bytes: number; readonly table: number })[] =
  [
    { encoding: 'narrow', type: 'int8', bits: 4, row: 7, group: 0, zeroPoints: false, bytes: 12, table: 0 },
    { encoding: 'scaled', type: 'float32', bits: 4, row: 5, group: 2, zeroPoints: false, bytes: 6, table: 2 * 3 * 4 },
    { encoding: 'scaled', type: 'float32', bits: 8, row: 3, group: 3, zeroPoints: true, bytes: 6, table: 2 * 5 },
    { encoding: 'codebook', type: 'int8', bits: 4, row: 4, group: 0, zeroPoints: false, bytes: 6, table: 16 },
    { encoding: 'codebook', type: 'float32', bits: 8, row: 2, group: 0, zeroPoints: false, bytes: 4, table: 1024 },
  ];

function variantOf(constants: readonly Uint8Array[]): fc.Arbitrary<PlanVariant> {
  return fc.array(tensorOf(constants), { minLength: 1, maxLength: 8 }).chain((tensors) => {
    const at = (place: string) => tensors.flatMap((tensor, index) => (tensor.place === place ? [index] : []));
    const ports = fc
      .subarray(at('port'))
      .chain((list) =>
        fc.tuple(
          ...list.map((tensor) =>
            name.map((text) => ({ name: text, tensor, type: tensors[tensor].type, dims: tensors[tensor].dims })),
          ),
        ),
      );
    const counts = tensors.flatMap((tensor, index) =>
      tensor.place === 'arena' && tensor.type === 'int64' && tensorBytes(tensor) === 8 ? [index] : [],
    );
    const states = at('state');
    const stateIndex = fc.nat(Math.max(0, states.length - 1)).map((i) => states[i]);
    const state = fc.record({ input: stateIndex, output: stateIndex });
    return fc.record({
      name,
      tensors: fc.constant(tensors),
      nodes: fc.array(
        fc.constantFrom(...PLAN_OP_NAMES).chain((op) => nodeOf(op, tensors.length)),
        { maxLength: 6 },
      ),
      inputs: ports,
      outputs: ports.map((list) => list.map((port) => counted(port, counts))),
      states: states.length ? fc.array(state, { maxLength: 3 }) : fc.constant([]),
      arenaBytes: fc.constant(1 << 20),
    }) as fc.Arbitrary<PlanVariant>;
  });
}

/** An output with a count, where there are a tensor that can tell it and an axis. */
function counted<P extends { readonly tensor: number; readonly dims: readonly number[] }>(
  port: P,
  counts: readonly number[],
) {
  if (counts.length === 0 || port.dims.length === 0) return port;
  return { ...port, counted: { axis: port.tensor % port.dims.length, tensor: counts[port.tensor % counts.length] } };
}

/** Plans that keep the format but mean nothing: every field takes odd values. All optional fields are there. */
export const anyPlan: fc.Arbitrary<PlanDescription> = fc
  .array(fc.uint8Array({ minLength: 8, maxLength: 40 }), { minLength: 1, maxLength: 4 })
  .map((list) => list.map((bytes) => bytes.slice(0, bytes.length & ~7)))
  .chain((constants) =>
    fc.record({
      encoded: fc
        .subarray([...ENCODED])
        .map((list) => list.map(({ bytes, table, ...weights }) => ({ ...weights, bytes, table }))),
      sourceHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
      metadata: fc.dictionary(name, fc.jsonValue()) as fc.Arbitrary<Record<string, unknown>>,
      constants: fc.constant(constants),
      variants: fc.array(variantOf(constants), { minLength: 1, maxLength: 3 }),
    }),
  )
  .map(withCodes);

/** The plan with the constants of what it holds as codes, and a tensor for each. */
function withCodes({
  encoded,
  ...plan
}: Omit<PlanDescription, 'encoded'> & { readonly encoded: readonly (typeof ENCODED)[number][] }): PlanDescription {
  if (encoded.length === 0) return plan;
  const constants = [...plan.constants];
  const add = (bytes: number) => constants.push(Uint8Array.from({ length: bytes }, (_, i) => i + constants.length)) - 1;
  const made = encoded.map(({ bytes, table, ...weights }) => ({
    ...weights,
    codes: add(bytes),
    ...(table > 0 ? { table: add(table) } : {}),
  }));
  const tensors = made.map((weights, index): PlanTensor => {
    const rowBytes = Math.ceil((weights.row * weights.bits) / 8);
    const dims = [constants[weights.codes].length / rowBytes, weights.row];
    return {
      ...{ name: `w${index}`, type: weights.type, dims, scale: 0, zeroPoint: 0, pitch: 0 },
      ...{ place: 'encoded', weights: index },
    };
  });
  const [first, ...others] = plan.variants;
  return {
    ...plan,
    constants,
    encoded: made,
    variants: [{ ...first, tensors: [...first.tensors, ...tensors] }, ...others],
  };
}
