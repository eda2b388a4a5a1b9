import fc from 'fast-check';
import { attributes } from '../../lib/ir/attribute';
import type { Node } from '../../lib/ir/graph';
import { inferSpatial, resolveSpatial } from '../../lib/ops/spatial';

const pool = (given: Parameters<typeof attributes>[0]): Node => ({
  op: 'MaxPool',
  domain: '',
  name: '',
  inputs: [],
  outputs: [],
  attributes: attributes(given),
});

const drawnWindow = fc.record({
  kernel: fc.integer({ min: 1, max: 4 }),
  strides: fc.tuple(fc.integer({ min: 1, max: 5 })),
  dilations: fc.tuple(fc.integer({ min: 1, max: 2 })),
  pads: fc.tuple(fc.nat(3), fc.nat(3)),
  ceil_mode: fc.nat(1),
  auto_pad: fc.constantFrom('NOTSET', 'NOTSET', 'NOTSET', 'VALID', 'SAME_UPPER'),
});

/** Number of windows that an expression over H gives for an extent; undefined where it is a name of its own. */
function countAt(expression: string, extent: number): number | undefined {
  if (expression.startsWith('windows(')) return undefined;
  return Function('H', `const { floor, ceil } = Math; return ${expression}`)(extent);
}

test('windows over an extent that is a symbol are those over every number, or have a name of their own', () => {
  fc.assert(
    fc.property(drawnWindow, ({ kernel, ...drawn }) => {
      const node = pool(drawn);
      const expression = String(inferSpatial(node, ['H'], [kernel])[0]);
      for (let extent = (kernel - 1) * drawn.dilations[0] + 1; extent < 24; extent++) {
        const expected = resolveSpatial(node, [extent], [kernel]).output[0];
        expect([extent, countAt(expression, extent) ?? expected]).toEqual([extent, expected]);
      }
    }),
    { numRuns: 400 },
  );
});

test.each([
  ['none can start behind the input', { strides: [2], ceil_mode: 1 }, 'ceil((H-2)/2)+1'],
  ['none can start behind the input, by one', { strides: [1], pads: [0, 1], ceil_mode: 1 }, 'H'],
  ['the last one may start behind it', { strides: [3], ceil_mode: 1 }, 'windows(H,2,3,0,0)'],
  ['the end is not asked for', { strides: [3] }, 'floor((H-2)/3)+1'],
])('windows of 2, of which %s', (_, given, expected) => {
  expect(inferSpatial(pool(given), ['H'], [2])).toEqual([expected]);
});
