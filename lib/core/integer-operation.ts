// Generated from native/core/integer_operations.def by `npm run docs`.

/**
 * Element-wise operations of two integers that the engine computes; the place in the list is the number in plan files.
 * `commutative`: operands may change places.
 */
export const INTEGER_OPERATIONS = [
  { name: 'add', commutative: true },
  { name: 'multiply', commutative: true },
  { name: 'subtract', commutative: false },
  { name: 'divide', commutative: false },
  { name: 'maximum', commutative: true },
  { name: 'minimum', commutative: true },
  { name: 'modulo', commutative: false },
  { name: 'remainder', commutative: false },
  { name: 'power', commutative: false },
  { name: 'and', commutative: true },
  { name: 'or', commutative: true },
  { name: 'xor', commutative: true },
] as const;

/** Name of such an operation. */
export type IntegerOperation = (typeof INTEGER_OPERATIONS)[number]['name'];
