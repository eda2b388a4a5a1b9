/** `x` limited to low..high; NaN gives `low`. */
export function limit(x: number, low: number, high: number): number {
  return x > low ? Math.min(x, high) : low;
}
