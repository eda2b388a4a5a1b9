import type { HoneError } from '../../lib/core/error';
import { openSession } from '../../lib/engine/session';
import { findPlanFault } from '../../lib/plan/check';
import { describePlan } from '../../lib/plan/describe';
import type { PlanDescription, PlanPort } from '../../lib/plan/description';
import { readPlan } from '../../lib/plan/reader';
import { writePlan } from '../../lib/plan/writer';
import { PlanFile } from '../plan/plan-file';
import { PlanBuilder } from './plans';

/** Copies x [2, 3, 2] to an output whose axis 1 is as long as an input says, and to one that is always whole. */
function counting(): PlanDescription {
  const b = new PlanBuilder();
  const [x, n] = [b.input('x', 'float32', [2, 3, 2]), b.input('n', 'int64', [1])];
  const [y, whole] = [b.output('y', 'float32', [2, 3, 2]), b.output('whole', 'float32', [2, 3, 2])];
  const [kept, copied] = [b.arena('int64', [1]), b.arena('float32', [12])];
  const single = b.arena('float32', [1]);
  const line = (extent: number) => ({
    ...{ extents: [extent], srcOffset: 0, dstOffset: 0, srcStrides: [1], dstStrides: [1] },
  });
  b.node({ op: 'copy_nd', outputs: [kept], inputs: [n], params: line(1) });
  b.node({ op: 'copy_nd', outputs: [copied], inputs: [x], params: line(12) });
  b.node({ op: 'copy_nd', outputs: [single], inputs: [x], params: line(1) });
  for (const to of [y, whole]) b.node({ op: 'copy_nd', outputs: [to], inputs: [copied], params: line(12) });
  const plan = b.describe();
  const [variant] = plan.variants;
  const outputs = variant.outputs.map((port) =>
    port.name === 'y' ? { ...port, counted: { axis: 1, tensor: kept } } : port,
  );
  return { ...plan, variants: [{ ...variant, outputs }] };
}

const PLAN = counting();
const BYTES = writePlan(PLAN);
const X = Float32Array.from({ length: 12 }, (_, i) => i);

test('a plan with counts is read back as it was written', () => {
  expect(readPlan(BYTES).variants[0].outputs).toEqual(PLAN.variants[0].outputs);
  expect(writePlan(readPlan(BYTES))).toEqual(BYTES);
  expect(describePlan(PLAN)).toContain('output y: float32 [2,<=3,2], 48 bytes');
});

test.each([
  [0, []],
  [1, [0, 1, 6, 7]],
  [2, [0, 1, 2, 3, 6, 7, 8, 9]],
  [3, [...X]],
  // What a plan says is no reason to look elsewhere.
  [-5, []],
  [2 ** 40, [...X]],
] as const)('a count of %d', (count, expected) => {
  using session = openSession(BYTES);
  const { y, whole } = session.run({ x: X, n: BigInt64Array.of(BigInt(count)) });
  expect([...y]).toEqual(expected);
  expect(session.dimsOf('y')).toEqual([2, expected.length / 4, 2]);
  expect(whole).toEqual(X);
  expect(session.dimsOf('whole')).toEqual([2, 3, 2]);
});

test('two sessions have counts of their own', () => {
  using a = openSession(BYTES);
  using b = openSession(BYTES);
  a.run({ x: X, n: BigInt64Array.of(1n) });
  b.run({ x: X, n: BigInt64Array.of(2n) });
  expect([a.dimsOf('y'), b.dimsOf('y')]).toEqual([
    [2, 1, 2],
    [2, 2, 2],
  ]);
});

/** One field of the count, or what it names, changed. */
const BROKEN: readonly (readonly [words: string, change: (file: PlanFile) => void])[] = [
  ['is of no axis', (f) => f.set('counts', 0, 'axis', 3)],
  ['is no tensor', (f) => f.set('counts', 0, 'tensor', 99)],
  ['is no int64 of one element in the arena', (f) => f.set('counts', 0, 'tensor', 1)],
  ['is no int64 of one element in the arena', (f) => f.set('counts', 0, 'tensor', 5)],
  ['is no int64 of one element in the arena', (f) => f.set('counts', 0, 'tensor', 6)],
  ['belongs to no output', (f) => f.set('counts', 0, 'port', 0)],
  ['belongs to no output', (f) => f.set('counts', 0, 'port', 4)],
  ['a section is out of bounds', (f) => f.setHeader('counts.count', 1 << 20)],
];

test.each(BROKEN)('the loader refuses one that %s', (words, change) => {
  const file = new PlanFile(BYTES);
  change(file);
  const bytes = file.bytes();
  try {
    openSession(bytes).close();
    throw new Error('it opens');
  } catch (error) {
    expect((error as HoneError).code).toBe('E_PLAN_FORMAT');
    expect((error as HoneError).message).toContain(words);
  }
  expect(() => readPlan(bytes)).toThrow(expect.objectContaining({ code: 'E_PLAN_FORMAT' }));
});

test.each<readonly [words: string, change: Partial<PlanPort>]>([
  ['its count is of axis 3 of [2,3,2]', { counted: { axis: 3, tensor: 4 } }],
  ['its count, tensor 1, is no int64 of one element in the arena', { counted: { axis: 1, tensor: 1 } }],
  ['its count, tensor 5, is no int64 of one element in the arena', { counted: { axis: 1, tensor: 5 } }],
])('the writer refuses: %s', (words, change) => {
  const [variant] = PLAN.variants;
  const outputs = [{ ...variant.outputs[0], ...change }, variant.outputs[1]];
  expect(findPlanFault({ ...PLAN, variants: [{ ...variant, outputs }] })).toContain(words);
  const inputs = [{ ...variant.inputs[0], counted: { axis: 1, tensor: 4 } }, variant.inputs[1]];
  expect(findPlanFault({ ...PLAN, variants: [{ ...variant, inputs }] })).toContain('an input has a count');
});
