import fc from 'fast-check';
import type { Dim } from '../../lib/ir/graph';
import {
  addDims,
  divideExactly,
  floorDivDims,
  isNonNegative,
  mulDims,
  productOfDims,
  subDims,
} from '../../lib/ops/dims';

test.each([
  [addDims('N', 0), 'N'],
  [addDims('N', 3), 'N+3'],
  [addDims('T', 'N'), 'N+T'],
  [subDims('N', 'N'), 0],
  [subDims(1, 'N'), '-N+1'],
  [mulDims('N', 1), 'N'],
  [mulDims('N', 0), 0],
  [mulDims('T', mulDims('N', 2)), '2*N*T'],
  [mulDims('N+1', 'N-1'), 'N*N-1'],
  [divideExactly('6*N', 3), '2*N'],
  [divideExactly('6*N*T', '2*T'), '3*N'],
  [divideExactly('N+1', 2), undefined],
  [divideExactly(7, 2), undefined],
  [divideExactly(0, 0), undefined],
  [floorDivDims('N+1', 2), 'floor((N+1)/2)'],
  [addDims(floorDivDims('N+1', 2), floorDivDims('N+1', 2)), '2*floor((N+1)/2)'],
  [addDims('size(a-b,0)', 1), 'size(a-b,0)+1'],
  [isNonNegative('2*N+1'), true],
  [isNonNegative('N-1'), false],
])('%j is %j', (found, expected) => {
  expect(found).toEqual(expected);
});

/** Value of an expression in canonical form at given symbols. */
function valueAt(dim: Dim, symbols: Readonly<Record<string, number>>): number {
  if (typeof dim === 'number') return dim;
  return Function(...Object.keys(symbols), `return ${dim}`)(...Object.values(symbols));
}

test('arithmetic on symbols agrees with arithmetic on numbers', () => {
  const leaf = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom<Dim>('N', 'T', 'H'));
  const operation = fc.constantFrom(addDims, subDims, mulDims);
  const natural = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(
      leaf,
      leaf,
      leaf,
      operation,
      operation,
      fc.record({ N: natural, T: natural, H: natural }),
      (...drawn) => {
        const [a, b, c, first, second, symbols] = drawn;
        const numbers = [a, b, c].map((dim) => valueAt(dim, symbols));
        const expression = second(first(a, b), c);
        expect(valueAt(expression, symbols)).toBe(second(first(numbers[0], numbers[1]), numbers[2]));
        // Canonical: the same polynomial is the same text.
        expect(subDims(expression, expression)).toBe(0);
        expect(addDims(expression, 0)).toEqual(expression);
        const quotient = divideExactly(mulDims(expression, 6), 2);
        expect(quotient).toEqual(mulDims(expression, 3));
      },
    ),
  );
});

test('the product of extents does not depend on their order', () => {
  expect(productOfDims(['T', 2, 'N', 3])).toBe(productOfDims([3, 'N', 'T', 2]));
  expect(productOfDims([])).toBe(1);
});
