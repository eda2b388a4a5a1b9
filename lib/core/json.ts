/**
 * A value as JSON text: maps as objects, big integers as numbers, and numbers that JSON has no form for as the strings
 * `Infinity`, `-Infinity` and `NaN` (`JSON.stringify` would make them null, which elsewhere means unknown).
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, write, indent);
}

/** A value out of the text that `toJson` made of it; decibels (under keys that tell so) that are not finite become numbers again. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (key, value) => (DECIBELS.test(key) && NOT_FINITE.has(value) ? Number(value) : value));
}

const DECIBELS = /Db$|^(before|after)$/;
const NOT_FINITE: ReadonlySet<unknown> = new Set(['Infinity', '-Infinity', 'NaN']);

function write(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
