import fc from 'fast-check';
import { decoded, expectRefusal } from './decode';

/** Probabilities of a path, one class a step: 0.9 for it, the rest shared. */
function path(classes: number, steps: readonly number[], best = 0.9): number[][] {
  return steps.map((step) =>
    Array.from({ length: classes }, (_, index) => (index === step ? best : (1 - best) / (classes - 1))),
  );
}

test.each<[what: string, spec: object, steps: number[], text: string]>([
  ['repeats once, blanks out', {}, [0, 1, 1, 0, 2], 'ab'],
  ['a blank parts equal characters', {}, [1, 0, 1, 1], 'aa'],
  ['no step but blanks', {}, [0, 0], ''],
  ['no step', {}, [], ''],
  ['the blank last', { blank: 2 }, [0, 0, 2, 0, 1], 'aab'],
  ['the blank in the middle', { blank: 1 }, [0, 1, 2, 2], 'ab'],
  ['longer pieces', { alphabet: ['th', 'ing'] }, [1, 0, 2, 2], 'thing'],
])('%s', (_, spec, steps, text) => {
  const found = decoded({ kind: 'ctc', alphabet: 'ab', ...spec }, [['y', [1, steps.length, 3], path(3, steps).flat()]]);
  expect(found.text).toBe(text);
  if (text === '') expect(found.score).toBeNull();
  else expect(found.score).toBeCloseTo(0.9, 12);
});

test('the score is the mean over characters where they first show', () => {
  const data = [...path(3, [1], 0.8), ...path(3, [1], 0.9), ...path(3, [0], 0.9), ...path(3, [2], 0.6)].flat();
  const found = decoded({ kind: 'ctc', alphabet: 'ab' }, [['y', [1, 4, 3], data]]);
  expect(found).toMatchObject({ text: 'ab', score: expect.closeTo(0.7, 12) });
});

test('logits, ties and NaN', () => {
  const read = (steps: number[][], activation = 'none') =>
    decoded({ kind: 'ctc', alphabet: 'ab', activation }, [['y', [1, steps.length, 3], steps.flat()]]);
  expect(read([[0, Math.log(2), 0]], 'softmax')).toMatchObject({ text: 'a', score: expect.closeTo(0.5, 12) });
  expect(read([[0, 1, 1]]).text).toBe('a');
  expect(read([[1, 1, 0]]).text).toBe('');
  expect(read([[NaN, NaN, 1]]).text).toBe('b');
  // Between two of the same it is a blank.
  expect(
    read([
      [0, 1, 0],
      [NaN, NaN, NaN],
      [0, 1, 0],
    ]).text,
  ).toBe('aa');
});

test('every order of axes', () => {
  const steps = path(3, [1, 0, 2, 2]);
  const columns = [0, 1, 2].flatMap((index) => steps.map((step) => step[index]));
  const shapes: [axes: string, dims: number[], data: number[]][] = [
    ['NTC', [1, 4, 3], steps.flat()],
    ['NTC', [4, 3], steps.flat()],
    ['TNC', [4, 1, 3], steps.flat()],
    ['TNC', [4, 3], steps.flat()],
    ['NCT', [1, 3, 4], columns],
    ['NCT', [1, 1, 3, 4], columns],
  ];
  for (const [axes, dims, data] of shapes)
    expect(decoded({ kind: 'ctc', alphabet: 'ab', axes }, [['y', dims, data]]).text).toBe('ab');
});

test.each<[spec: object, dims: number[], message: RegExp]>([
  [
    { alphabet: 'abc' },
    [1, 2, 3],
    /outputs\.alphabet: .*\[1, T, 4\]: 3 characters and a blank, found 'y of \[1, 2, 3\]'/,
  ],
  [{ alphabet: 'ab' }, [2, 1, 3], /outputs\.alphabet/],
  [{ alphabet: 'ab', axes: 'TNC' }, [1, 2, 3], /outputs\.alphabet: .*\[T, 1, 3\]/],
  [{ alphabet: 'ab', axes: 'NCT' }, [1, 2, 3], /outputs\.alphabet: .*\[1, 3, T\]/],
  [{ alphabet: 'ab' }, [6], /outputs\.alphabet/],
  [{ alphabet: 'ab', blank: 3 }, [1, 2, 3], /outputs\.blank: .*0 to 2/],
])('refuses %j for %j', (spec, dims, message) => {
  const data = Array<number>(6).fill(0);
  expectRefusal(() => decoded({ kind: 'ctc', ...spec }, [['y', dims, data]]), message);
});

test('property: what a path says with blanks between is read back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4)), fc.nat(5), (letters, blank) => {
      const steps = letters.flatMap((letter) => [letter < blank ? letter : letter + 1, blank]);
      const spec = { kind: 'ctc', alphabet: 'abcde', blank } as const;
      const found = decoded(spec, [['y', [1, steps.length, 6], path(6, steps).flat()]]);
      expect(found.text).toBe(letters.map((letter) => 'abcde'[letter]).join(''));
    }),
  );
});
