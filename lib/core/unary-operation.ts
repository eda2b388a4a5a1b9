// Generated from native/core/unary_operations.def by `npm run docs`.

/** Element-wise float functions of one operand that the engine computes; the place in the list is the number in plan files. */
export const UNARY_OPERATIONS = [
  { name: 'abs' },
  { name: 'negate' },
  { name: 'sign' },
  { name: 'floor' },
  { name: 'ceil' },
  { name: 'round' },
  { name: 'sqrt' },
  { name: 'reciprocal' },
  { name: 'exp' },
  { name: 'log' },
  { name: 'sigmoid' },
  { name: 'tanh' },
  { name: 'erf' },
  { name: 'gelu' },
  { name: 'gelu_tanh' },
  { name: 'mish' },
  { name: 'softplus' },
  { name: 'softsign' },
  { name: 'elu' },
  { name: 'selu' },
  { name: 'leaky_relu' },
  { name: 'hard_sigmoid' },
  { name: 'hard_swish' },
  { name: 'sin' },
  { name: 'cos' },
  { name: 'square' },
  { name: 'cube' },
  { name: 'reciprocal_sqrt' },
  { name: 'power' },
] as const;

/** Name of such an operation. */
export type UnaryOperation = (typeof UNARY_OPERATIONS)[number]['name'];
