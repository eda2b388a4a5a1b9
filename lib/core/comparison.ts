// Generated from native/core/comparisons.def by `npm run docs`.

/** Comparisons of two numbers that the engine makes; the place in the list is the number in plan files. */
export const COMPARISONS = [
  { name: 'equal' },
  { name: 'not_equal' },
  { name: 'less' },
  { name: 'less_or_equal' },
  { name: 'greater' },
  { name: 'greater_or_equal' },
] as const;

/** Name of such an operation. */
export type Comparison = (typeof COMPARISONS)[number]['name'];
