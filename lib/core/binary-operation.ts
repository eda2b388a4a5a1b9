/**
 * Element-wise operations of two operands that the engine computes; the place in the list is the number in plan files
 * (`PlanBinary` in native/engine/plan_format.h). `commutative`: operands may change places.
 */
export const BINARY_OPERATIONS = [
  { name: 'add', commutative: true },
  { name: 'multiply', commutative: true },
] as const;

/** Name of such an operation. */
export type BinaryOperation = (typeof BINARY_OPERATIONS)[number]['name'];
