import type { Diagnostic } from '../core/diagnostic';
import { PLAN_OPS, type PlanOp } from '../plan/plan-ops';
import type { Step } from './step';

/** The instruction set that every board of an architecture has. */
const BASES = { x64: 'avx2', arm64: 'neon' } as const;
/** Scalar code takes about a nanosecond for each element of an operand: what it does to fewer is no matter. */
const LEAST_ELEMENTS = 16_384;

/**
 * Warnings for the steps that compute on much data and have no kernel row but the scalar reference on some architecture, which is
 * up to hundreds of times slower. `rowsOf` gives the instruction sets that an operation has rows for.
 */
export function warnScalarSteps(
  steps: readonly Step[],
  rowsOf: (op: PlanOp) => readonly string[] = (op) => PLAN_OPS[op].rows,
): Diagnostic[] {
  return steps.flatMap(({ name, op, outputs, inputs }) => {
    const lacking = Object.entries(BASES).filter(([, set]) => !rowsOf(op).includes(set));
    const elements = Math.max(...[...outputs, ...inputs].map((operand) => operand?.buffer.count ?? 0));
    if (PLAN_OPS[op].moves || lacking.length === 0 || elements < LEAST_ELEMENTS) return [];
    const where = lacking.map(([architecture]) => architecture).join(' and ');
    return {
      severity: 'warning',
      kind: 'scalar-kernel',
      where: name,
      message: `${op} has only scalar code on ${where}, and ${elements.toLocaleString('en')} elements go through it`,
    } as const;
  });
}
