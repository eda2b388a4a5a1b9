import type { Dim } from '../ir/graph';

/**
 * Arithmetic on extents that may be symbols. A result that is not a number is a polynomial in canonical text form, such as
 * `2*T+1`, so equal expressions are equal strings; what no polynomial can say becomes an atom such as `floor((H-1)/2)`.
 */
type Polynomial = ReadonlyMap<string, number>;

/** Sum of two extents. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return format(sum(parse(a), parse(b), 1));
}

/** Difference of two extents. */
export function subDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return format(sum(parse(a), parse(b), -1));
}

/** Product of two extents. */
export function mulDims(a: Dim, b: Dim): Dim {
  // Adding 0 turns -0 into 0, which is what an extent prints and compares as.
  if (typeof a === 'number' && typeof b === 'number') return a * b + 0;
  const product = new Map<string, number>();
  for (const [left, m] of parse(a))
    for (const [right, n] of parse(b)) {
      const key = [...factors(left), ...factors(right)].sort().join('*');
      product.set(key, (product.get(key) ?? 0) + m * n);
    }
  return format(product);
}

/** Product of all extents; 1 for a scalar. */
export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(mulDims, 1);
}

/** Quotient `a / b` when it is exact for every value of the symbols, else undefined. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (a === b && b !== 0) return 1;
  const divisor = [...parse(b)];
  if (divisor.length !== 1 || divisor[0][1] === 0) return undefined;
  const [monomial, coefficient] = divisor[0];
  const quotient = new Map<string, number>();
  for (const [key, value] of parse(a)) {
    const left = factors(key);
    for (const factor of factors(monomial)) {
      const at = left.indexOf(factor);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (value % coefficient !== 0) return undefined;
    quotient.set(left.join('*'), value / coefficient);
  }
  return format(quotient);
}

/** `floor(a / b)` for a positive number `b`. */
export function floorDivDims(a: Dim, b: number): Dim {
  if (typeof a === 'number') return Math.floor(a / b);
  return divideExactly(a, b) ?? `floor((${a})/${b})`;
}

/** `ceil(a / b)` for a positive number `b`. */
export function ceilDivDims(a: Dim, b: number): Dim {
  if (typeof a === 'number') return Math.ceil(a / b);
  return divideExactly(a, b) ?? `ceil((${a})/${b})`;
}

/** Whether `dim` can be proved not to be negative: a number >= 0, or a symbol expression without subtraction. */
export function isNonNegative(dim: Dim): boolean {
  return typeof dim === 'number' ? dim >= 0 : [...parse(dim).values()].every((coefficient) => coefficient >= 0);
}

/** A dim as a sum: each term a number times symbols. */
export function termsOf(dim: Dim): readonly { readonly coefficient: number; readonly symbols: readonly string[] }[] {
  return [...parse(dim)].map(([key, coefficient]) => ({ coefficient, symbols: factors(key) }));
}

/** The shape as numbers, or undefined when it is unknown or has a symbol. */
export function knownDims(shape: readonly Dim[] | undefined): readonly number[] | undefined {
  return shape?.every((dim) => typeof dim === 'number') ? (shape as readonly number[]) : undefined;
}

function sum(a: Polynomial, b: Polynomial, sign: 1 | -1): Polynomial {
  const total = new Map(a);
  for (const [key, value] of b) total.set(key, (total.get(key) ?? 0) + sign * value);
  return total;
}

/** Factors of a monomial; none for the constant term, whose key is empty. */
function factors(monomial: string): string[] {
  return monomial === '' ? [] : splitOutsideParentheses(monomial, '*').map(([part]) => part);
}

function parse(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map([['', dim]]);
  const terms = new Map<string, number>();
  for (const [term, sign] of splitOutsideParentheses(dim, '+-')) {
    let coefficient = sign === '-' ? -1 : 1;
    const symbols: string[] = [];
    for (const factor of factors(term)) {
      if (/^\d+$/.test(factor)) coefficient *= Number(factor);
      else symbols.push(factor);
    }
    const key = symbols.sort().join('*');
    terms.set(key, (terms.get(key) ?? 0) + coefficient);
  }
  return terms;
}

/** Parts of `text` between separators at parenthesis depth 0, each with the separator before it. */
function splitOutsideParentheses(text: string, separators: string): [string, string][] {
  const parts: [string, string][] = [];
  let [depth, start, separator] = [0, 0, ''];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (depth === 0 && i > start && separators.includes(text[i])) {
      parts.push([text.slice(start, i), separator]);
      [separator, start] = [text[i], i + 1];
    } else if (i === start && text[i] === '-' && separators.includes('-')) [separator, start] = ['-', i + 1];
  }
  parts.push([text.slice(start), separator]);
  return parts;
}

function format(polynomial: Polynomial): Dim {
  const terms = [...polynomial].filter(([, coefficient]) => coefficient !== 0);
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0][0] === '') return terms[0][1];
  const order = ([a]: [string, number], [b]: [string, number]) =>
    Number(a === '') - Number(b === '') || (a < b ? -1 : 1);
  return terms
    .sort(order)
    .map(([monomial, coefficient], index) => {
      const sign = coefficient < 0 ? '-' : index > 0 ? '+' : '';
      const size = Math.abs(coefficient);
      return sign + (monomial === '' ? String(size) : size === 1 ? monomial : `${size}*${monomial}`);
    })
    .join('');
}
