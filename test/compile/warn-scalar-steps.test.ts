import type { Step } from '../../lib/compile/step';
import { warnScalarSteps } from '../../lib/compile/warn-scalar-steps';
import { scalarOperations } from '../../lib/jobs/doctor';
import { PLAN_OP_NAMES, PLAN_OPS, type PlanOp } from '../../lib/plan/plan-ops';

/** A step of which only what the warnings read is there. */
function step(op: PlanOp, name: string, ...counts: readonly number[]): Step {
  const operands = counts.map((count) => ({ buffer: { count }, dims: [count] }));
  return { name, op, outputs: [operands[0]], inputs: operands.slice(1) } as unknown as Step;
}

const STEPS = [
  step('conv_s8', 'Conv_1+Relu_2', 1000, 500, 20_000),
  step('fc_s8', 'Gemm_3', 10, 100, 1000),
  step('unary_f32', 'Exp_4', 16_384, 16_384),
  step('copy_nd', 'Transpose_5', 1_000_000, 1_000_000),
];

/** Rows of the tables without those of some instruction sets. */
function without(...sets: readonly string[]) {
  return (op: PlanOp): readonly string[] => PLAN_OPS[op].rows.filter((set: string) => !sets.includes(set));
}

test('layers on much data that would meet scalar code are named, with the architectures', () => {
  const told = (...sets: readonly string[]) =>
    warnScalarSteps(STEPS, without(...sets)).map(({ where, message }) => `${where}: ${message}`);
  expect(told()).toEqual([]);
  expect(told('avx512vnni', 'neon_dotprod', 'neon_i8mm')).toEqual([]);
  expect(told('neon')).toEqual([
    'Conv_1+Relu_2: conv_s8 has only scalar code on arm64, and 20,000 elements go through it',
    'Exp_4: unary_f32 has only scalar code on arm64, and 16,384 elements go through it',
  ]);
  expect(told('neon', 'avx2')).toEqual([
    'Conv_1+Relu_2: conv_s8 has only scalar code on x64 and arm64, and 20,000 elements go through it',
    'Exp_4: unary_f32 has only scalar code on x64 and arm64, and 16,384 elements go through it',
  ]);
});

test('a machine with the least that its architecture has runs no operation on scalar code that has other rows', () => {
  for (const sets of [['avx2'], ['neon'], ['neon', 'neon_dotprod']]) expect(scalarOperations(sets)).toEqual([]);
  const all = PLAN_OP_NAMES.filter((op) => PLAN_OPS[op].rows.length > 0);
  expect(scalarOperations(['ref'])).toEqual(all);
  expect(scalarOperations(['neon_dotprod'])).toEqual(all.filter((op) => !/^(conv|dwconv|fc|matmul)_s8$/.test(op)));
});
