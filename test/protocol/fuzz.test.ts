import { makeStream, runStream } from './frame-case';
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

test('changed streams of frames are read alike however they are cut, or refused', () => {
  const outcomes = new Set<string>();
  for (let index = 0; index < 1000; index++) outcomes.add(runStream(makeStream(1, index)));
  expect([...outcomes].sort()).toEqual(['E_FRAME_FORMAT', 'frames taken', 'no frame taken']);
});

test('a case is made of its seed and number alone, whatever was made before', () => {
  const before = [makeCase(1, 0), makeStream(1, 0)];
  for (let index = 1; index < 1000; index++) makeCase(1, index);
  expect(makeCase(1, 1)).not.toEqual(before[0]);
  expect([makeCase(1, 0), makeStream(1, 0)]).toEqual(before);
});
