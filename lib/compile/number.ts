/** `x` rounded to the nearest integer, ties to even. */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** `x` limited to low..high; NaN gives `low`. */
export function limit(x: number, low: number, high: number): number {
  return x > low ? Math.min(x, high) : low;
}
