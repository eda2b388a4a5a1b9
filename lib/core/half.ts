const scratch = new DataView(new ArrayBuffer(4));
/** One double, and its two words: of little-endian machines, as all typed arrays over files are. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** 2^(index - 25): what one step of a half-precision number is by the field of its exponent, and below 1 its inverse. */
const POWERS = Float64Array.from({ length: 64 }, (_, index) => 2 ** (index - 25));
/** Doubles from here on have no fraction: what is added to it comes out rounded, half to even. */
const WHOLE = 2 ** 52;

/** Value of an IEEE half-precision number given by its 16 bits. */
export function decodeFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31)
    return fraction ? Number.NaN : bits & 0x8000 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const size = exponent === 0 ? fraction * POWERS[1] : (1024 + fraction) * POWERS[exponent];
  return bits & 0x8000 ? -size : size;
}

/** Bits of the half-precision number nearest to `value`, ties to even; overflow gives infinity. */
export function encodeFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  double[0] = value;
  const high = words[1];
  const sign = (high >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 numbers are multiples of 2^-24; above, 11 significant bits remain.
  const exponent = Math.max(-14, ((high >>> 20) & 2047) - 1023);
  const mantissa = size * POWERS[35 - exponent] + WHOLE - WHOLE;
  return sign | (mantissa + ((exponent + 14) << 10));
}

/** Value of a bfloat16 number given by its 16 bits. */
export function decodeBfloat16(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** Bits of the bfloat16 number nearest to `value`, ties to even. */
export function encodeBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Nearest integer, ties to the even one: the one rounding rule of Hone. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
