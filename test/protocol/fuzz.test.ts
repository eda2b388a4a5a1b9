import { makeCase, runCase } from './fuzz-case';

/** Refusals that changed bodies meet; the others need no change of bytes. */
const CODES = [
  ...['E_REQUEST_FORMAT', 'E_REQUEST_UNKNOWN', 'E_REQUEST_UNSERVED', 'E_RESPONSE_FORMAT', 'E_OUTPUT_NAME'],
  ...['E_INPUT_NAME', 'E_INPUT_MISSING', 'E_INPUT_TYPE', 'E_INPUT_SHAPE', 'E_INPUT_LENGTH', 'E_INPUT_NESTING'],
];

test('changed bodies are taken or refused with a clear error', () => {
  const outcomes = new Set<string>();
  for (let index = 0; index < 3000; index++) outcomes.add(runCase(makeCase(1, index)));
  expect([...outcomes].sort()).toEqual([...CODES, 'taken'].sort());
});

test('a case is made of its seed and number alone', () => {
  expect(makeCase(3, 5)).toEqual(makeCase(3, 5));
  expect(makeCase(3, 5)).not.toEqual(makeCase(3, 6));
});
