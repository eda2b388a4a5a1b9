/** Now, on the monotonic clock. */
export function nanoseconds(): number {
  return Number(process.hrtime.bigint());
}
