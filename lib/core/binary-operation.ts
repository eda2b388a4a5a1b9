// Generated from native/core/binary_operations.def by `npm run docs`.

/**
 * Element-wise operations of two operands that the engine computes; the place in the list is the number in plan files.
 * `commutative`: operands may change places.
 */
export const BINARY_OPERATIONS = [
  { name: 'add', commutative: true },
  { name: 'multiply', commutative: true },
  { name: 'subtract', commutative: false },
  { name: 'divide', commutative: false },
  { name: 'maximum', commutative: true },
  { name: 'minimum', commutative: true },
  { name: 'power', commutative: false },
  { name: 'slope', commutative: false },
  { name: 'remainder', commutative: false },
] as const;

/** Name of such an operation. */
export type BinaryOperation = (typeof BINARY_OPERATIONS)[number]['name'];
