// Generated from native/core/reduce_operations.def by `npm run docs`.

/** Reductions of float32 that accumulate, as the engine has them; the place in the list is the number in plan files. */
export const REDUCE_OPERATIONS = [
  { name: 'sum' },
  { name: 'mean' },
  { name: 'sum_square' },
  { name: 'l1' },
  { name: 'l2' },
  { name: 'log_sum' },
  { name: 'log_sum_exp' },
  { name: 'product' },
] as const;

/** Name of such an operation. */
export type ReduceOperation = (typeof REDUCE_OPERATIONS)[number]['name'];
