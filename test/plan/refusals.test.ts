import { BINARY_OPERATIONS } from '../../lib/core/binary-operation';
import type { HoneError } from '../../lib/core/error';
import { REDUCE_OPERATIONS } from '../../lib/core/reduce-operation';
import { UNARY_OPERATIONS } from '../../lib/core/unary-operation';
import { findPlanFault } from '../../lib/plan/check';
import type { PlanDescription, PlanNode, PlanTensor, PlanVariant } from '../../lib/plan/description';
import { readPlan } from '../../lib/plan/reader';
import { everyOperation } from '../engine/every-operation';
import { PlanFile } from './plan-file';

const SAMPLE = everyOperation();
const PLAN = SAMPLE.describe();
const BYTES = SAMPLE.write();
const [VARIANT] = PLAN.variants;

const nodeOf = (op: string): number => VARIANT.nodes.findIndex(({ name }) => name === op);
const fill = nodeOf('fill');
const [filled] = VARIANT.nodes[fill].outputs;
const weights = VARIANT.tensors.findIndex(({ place }) => place === 'constant');

const variant = (change: Partial<PlanVariant>): PlanDescription => ({ ...PLAN, variants: [{ ...VARIANT, ...change }] });
const tensor = (index: number, change: object): PlanDescription =>
  variant({ tensors: VARIANT.tensors.map((item, i) => (i === index ? ({ ...item, ...change } as PlanTensor) : item)) });
const node = (op: string, change: object): PlanDescription =>
  variant({ nodes: VARIANT.nodes.map((item, i) => (i === nodeOf(op) ? ({ ...item, ...change } as PlanNode) : item)) });
const port = (change: object): PlanDescription => variant({ inputs: [{ ...VARIANT.inputs[0], ...change }] });
const conv = VARIANT.nodes[nodeOf('conv_s8')];
const matmul = VARIANT.nodes[nodeOf('matmul_f32')].params as object;
const copy = VARIANT.nodes[nodeOf('copy_nd')].params as object;

test('the sample has no fault', () => expect(findPlanFault(PLAN)).toBeUndefined());

test.each<readonly [words: string, plan: PlanDescription]>([
  ['the source hash is not 64 hexadecimal digits', { ...PLAN, sourceHash: 'ab'.repeat(31) }],
  ['there is no variant', { ...PLAN, variants: [] }],
  ['arena of -1 bytes', variant({ arenaBytes: -1 })],
  ['arena of 0.5 bytes', variant({ arenaBytes: 0.5 })],
  [': rank 9 is above 8', tensor(filled, { dims: [1, 1, 1, 1, 1, 1, 1, 1, 6] })],
  [': extents [0]', tensor(filled, { dims: [0] })],
  [': extents [1.5]', tensor(filled, { dims: [1.5] })],
  [`: extents [${2 ** 31}]`, tensor(filled, { dims: [2 ** 31] })],
  [`: extents [${[2 ** 30, 2 ** 30]}] are too large`, tensor(filled, { dims: [2 ** 30, 2 ** 30] })],
  [': scale -0.5', tensor(filled, { scale: -0.5 })],
  [': scale NaN', tensor(filled, { scale: Number.NaN })],
  [': scale Infinity', tensor(filled, { scale: Number.POSITIVE_INFINITY })],
  [': zero point 128', tensor(filled, { zeroPoint: 128 })],
  [': zero point -129', tensor(filled, { zeroPoint: -129 })],
  [': zero point 0.5', tensor(filled, { zeroPoint: 0.5 })],
  [': offset 32', tensor(filled, { offset: 32 })],
  [': offset -64', tensor(filled, { offset: -64 })],
  [`beyond the arena of ${VARIANT.arenaBytes} bytes`, tensor(filled, { offset: VARIANT.arenaBytes })],
  [`beyond the arena of ${VARIANT.arenaBytes} bytes`, tensor(filled, { offset: VARIANT.arenaBytes - 64, dims: [65] })],
  [': needs 3 bytes, constant 0 has', tensor(weights, { dims: [3] })],
  [': needs 128 bytes, constant 99 has no bytes', tensor(weights, { constant: 99 })],
  ["unknown operation 'sort'", node('fill', { op: 'sort' })],
  ['fill has 0 outputs, expected 1 to 1', node('fill', { outputs: [] })],
  ['fill has 2 outputs, expected 1 to 1', node('fill', { outputs: [filled, filled] })],
  ['fill has 1 inputs, expected 0 to 0', node('fill', { inputs: [filled] })],
  ['conv_s8 has 3 inputs, expected 4 to 6', node('conv_s8', { inputs: conv.inputs.slice(0, 3) })],
  ['fill: no tensor -1', node('fill', { outputs: [-1] })],
  [`fill: no tensor ${VARIANT.tensors.length}`, node('fill', { outputs: [VARIANT.tensors.length] })],
  ['softmax_f32: operand x is tensor null', node('softmax_f32', { inputs: [null] })],
  ['conv_s8: operand residual? is tensor 999', node('conv_s8', { inputs: [...conv.inputs.slice(0, 5), 999] })],
  ['fill lacks its parameters', node('fill', { params: undefined })],
  ['do not come together', node('conv_s8', { inputs: conv.inputs.slice(0, 5) })],
  ['do not come together', node('conv_s8', { params: { ...conv.params, residual: undefined } })],
  ['copy of rank 0', node('copy_nd', { params: { ...copy, extents: [] } })],
  ['copy of rank 9', node('copy_nd', { params: { ...copy, extents: new Array(9).fill(1) } })],
  ['copy of rank 2 with 1 and 2 strides', node('copy_nd', { params: { ...copy, srcStrides: [1] } })],
  ['copy of rank 2 with 2 and 3 strides', node('copy_nd', { params: { ...copy, dstStrides: [3, 1, 1] } })],
  ['product of rank 3 with 2 and 3 strides', node('matmul_f32', { params: { ...matmul, aStrides: [5, 1] } })],
  ['product of rank 3 with 3 and 4 strides', node('matmul_f32', { params: { ...matmul, bStrides: [0, 20, 1, 4] } })],
  ['product of rank 9', node('matmul_f32', { params: { ...matmul, batch: new Array(7).fill(1) } })],
  [`tensor ${filled} is not of place 'port'`, port({ tensor: filled })],
  [': rank 9 is above 8', port({ dims: [1, 1, 1, 1, 1, 1, 1, 1, 4] })],
  ['uint8 [4] does not fit its tensor int8 [4]', port({ type: 'uint8' })],
  ['int8 [5] does not fit its tensor int8 [4]', port({ dims: [5] })],
  [`state refers to tensor ${filled}`, variant({ states: [{ input: filled, output: VARIANT.states[0].output }] })],
  [`state refers to tensor ${filled}`, variant({ states: [{ input: VARIANT.states[0].input, output: filled }] })],
])('a description is refused: %s', (words, plan) => expect(findPlanFault(plan)).toContain(words));

/** One field of the file changed, under a right checksum. */
test.each<readonly [words: string, change: (file: PlanFile) => void]>([
  ['header of 128 bytes', (f) => f.setHeader('headerBytes', 128)],
  ['bytes are announced', (f) => f.setHeader('fileBytes', 64)],
  ['section params (offset 8', (f) => f.setHeader('params.offset', 8)],
  ['section tensors', (f) => f.setHeader('tensors.count', 1 << 30)],
  ['the metadata are not JSON', (f) => f.setHeader('metadata.count', 1)],
  ['string at 0', (f) => f.set('variants', 0, 'name.bytes', 1 << 20)],
  ['variant refers to nodes', (f) => f.set('variants', 0, 'nodeCount', 1000)],
  ['no tensor 9999 in the variant', (f) => f.setOperand(1, 0, 9999)],
  ['operation number 999', (f) => f.set('nodes', 1, 'op', 999)],
  ['type number 7', (f) => f.set('tensors', filled, 'type', 7)],
  ['place number 7', (f) => f.set('tensors', filled, 'place', 7)],
  ['rank 9 is above 8', (f) => f.set('tensors', filled, 'rank', 9)],
  ['fill has 16 parameter bytes', (f) => f.set('nodes', fill, 'paramsBytes', 16)],
  ['parameters at', (f) => f.set('nodes', fill, 'paramsOffset', 1 << 20)],
  ['operands at', (f) => f.set('nodes', fill, 'firstOperand', 1 << 20)],
  ['constant at 1 is not aligned', (f) => f.set('tensors', weights, 'offset', 1)],
  ['constant at 1048576', (f) => f.set('tensors', weights, 'offset', 1 << 20)],
  ['binary operation number -1', (f) => f.setParams(nodeOf('binary_s8'), 'operation', -1)],
  [
    `binary operation number ${BINARY_OPERATIONS.length}`,
    (f) => f.setParams(nodeOf('binary_f32'), 'operation', BINARY_OPERATIONS.length),
  ],
  [
    `reduce operation number ${REDUCE_OPERATIONS.length}`,
    (f) => f.setParams(nodeOf('reduce_f32'), 'operation', REDUCE_OPERATIONS.length),
  ],
  [
    `unary operation number ${UNARY_OPERATIONS.length}`,
    (f) => f.setParams(nodeOf('unary_f32'), 'operation', UNARY_OPERATIONS.length),
  ],
  ['scale -0.5', (f) => f.set('tensors', filled, 'scale', -0.5)],
])('a file is refused: %s', (words, change) => {
  const file = new PlanFile(BYTES);
  change(file);
  let found = '';
  try {
    readPlan(file.bytes());
  } catch (error) {
    const { code, message } = error as HoneError;
    found = `${code}: ${message}`;
  }
  expect(found).toMatch(/^E_PLAN_FORMAT: /);
  expect(found).toContain(words);
});
