import { fromJson, toJson } from '../../lib/core/json';

const REPAIR = {
  name: 'Infinity',
  kept: ['NaN'],
  sqnrDb: { before: Number.POSITIVE_INFINITY, after: Number.NEGATIVE_INFINITY },
  heldOutSqnrDb: null,
  sqnr: [{ sqnrDb: Number.POSITIVE_INFINITY }, { sqnrDb: 40.5 }],
};

test('numbers that JSON has no form for are words, null stays null', () => {
  expect(JSON.parse(toJson(REPAIR))).toEqual({
    name: 'Infinity',
    kept: ['NaN'],
    sqnrDb: { before: 'Infinity', after: '-Infinity' },
    heldOutSqnrDb: null,
    sqnr: [{ sqnrDb: 'Infinity' }, { sqnrDb: 40.5 }],
  });
});

test('decibels come back as numbers, names that look like them stay names', () => {
  expect(fromJson(toJson(REPAIR, 2))).toEqual(REPAIR);
});

test('maps are objects, big integers numbers', () => {
  expect(toJson(new Map([['a', 3n]]))).toBe('{"a":3}');
});
