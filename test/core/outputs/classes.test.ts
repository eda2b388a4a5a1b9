import fc from 'fast-check';
import { activate } from '../../../lib/core/outputs/activation';
import { ranking } from '../../../lib/core/outputs/ranking';
import { close, decoded, expectRefusal } from './decode';

const LABELS = ['cat', 'dog', 'owl'];
const [LN2, LN3] = [Math.log(2), Math.log(3)];

test.each<[what: string, spec: object, data: number[], classes: [number, number][]]>([
  [
    'as they are',
    {},
    [1, 3, 2],
    [
      [1, 3],
      [2, 2],
      [0, 1],
    ],
  ],
  ['the best alone', { top: 1 }, [1, 3, 2], [[1, 3]]],
  [
    'softmax of logits: shares of 1 + 2 + 3',
    { activation: 'softmax' },
    [0, LN3, LN2],
    [
      [1, 1 / 2],
      [2, 1 / 3],
      [0, 1 / 6],
    ],
  ],
  [
    'softmax of large logits',
    { activation: 'softmax' },
    [1000, 1000 - LN2, -1000],
    [
      [0, 2 / 3],
      [1, 1 / 3],
      [2, 0],
    ],
  ],
  [
    'softmax with an infinite one',
    { activation: 'softmax' },
    [0, Infinity, -Infinity],
    [
      [1, 1],
      [0, 0],
      [2, 0],
    ],
  ],
  [
    'sigmoid',
    { activation: 'sigmoid' },
    [0, LN3, -LN3],
    [
      [1, 3 / 4],
      [0, 1 / 2],
      [2, 1 / 4],
    ],
  ],
  [
    'ties in order of the classes',
    { top: 2 },
    [2, 1, 2],
    [
      [0, 2],
      [2, 2],
    ],
  ],
  [
    'NaN last',
    {},
    [NaN, 1, 2],
    [
      [2, 2],
      [1, 1],
      [0, NaN],
    ],
  ],
  [
    'softmax with NaN tells nothing',
    { activation: 'softmax', top: 2 },
    [NaN, 1, 2],
    [
      [0, NaN],
      [1, NaN],
    ],
  ],
])('%s', (_, spec, data, classes) => {
  for (const dims of [[1, 3], [3], [1, 3, 1, 1]]) {
    const found = decoded({ kind: 'classes', ...spec }, [['y', dims, data]]);
    expect(found.classes.map(({ class: index }) => index)).toEqual(classes.map(([index]) => index));
    expect(found.classes.map(({ score }) => score)).toEqual(close(classes.map(([, score]) => score)));
    expect(found.classes.every(({ label }) => label === undefined)).toBe(true);
  }
});

test('labels name the classes', () => {
  const found = decoded({ kind: 'classes', labels: LABELS, top: 2 }, [['y', [1, 3], [1, 3, 2]]]);
  expect(found.classes).toEqual([
    { class: 1, label: 'dog', score: 3 },
    { class: 2, label: 'owl', score: 2 },
  ]);
});

test('refuses labels for another number of classes, and outputs that are not there', () => {
  const output = ['y', [1, 4], [1, 2, 3, 4]] as const;
  expectRefusal(
    () => decoded({ kind: 'classes', labels: LABELS }, [output]),
    /outputs\.labels: expected one label for each class, not 3, found 'y of \[1, 4\]'/,
  );
  expectRefusal(
    () => decoded({ kind: 'classes', output: 'z' }, [output]),
    /outputs\.output: expected an output of numbers \(y\), found 'z'/,
  );
});

test('properties: softmax sums to 1 and keeps the order, ranking sorts', () => {
  const numbers = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(numbers, (values) => {
      const shares = activate('softmax', values);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      const order = ranking(values);
      expect([...order].sort((a, b) => a - b)).toEqual(values.map((_, index) => index));
      for (let place = 1; place < order.length; place++) {
        const [better, worse] = [order[place - 1], order[place]];
        expect(values[better] > values[worse] || (values[better] === values[worse] && better < worse)).toBe(true);
        expect(shares[better]).toBeGreaterThanOrEqual(shares[worse]);
      }
    }),
  );
});
