import type { Dim, ValueType } from '../../lib/ir/graph';
import { declaredSampleAxes, findSampleAxes, type SampleAxis, sampleAxesMetadata } from '../../lib/ir/sample-axes';

type Shapes = Readonly<Record<string, readonly Dim[] | undefined>>;
const types = (shapes: Shapes) =>
  new Map(Object.entries(shapes).map(([name, shape]): [string, ValueType] => [name, { type: 'float32', shape }]));

const CASES: readonly [what: string, shapes: Shapes, axes: Readonly<Record<string, SampleAxis>>][] = [
  ['a free batch', { x: ['N', 3, 'H', 'W'] }, { x: 0 }],
  ['a nameless batch', { x: ['x.0', 3, 'x.2', 'x.3'] }, { x: 0 }],
  ['a fixed batch of 1', { Input3: [1, 1, 28, 28] }, { Input3: 0 }],
  ['a fixed batch of 4', { x: [4, 3, 8, 8] }, { x: 0 }],
  ['two inputs with a fixed batch of 4', { a: [4, 3], b: [4, 5] }, { a: 0, b: 0 }],
  ['unknown rank', { x: undefined }, { x: 0 }],
  ['a fixed state beside a fixed input', { x: [1, 576], state: [2, 1, 128] }, { x: 0, state: 1 }],
  ['a state with the batch on the last axis but one', { x: [1, 40], h: [2, 3, 1, 8] }, { x: 0, h: 2 }],
  ['a state that shares the symbol', { x: ['B', 'T'], h: [2, 'B', 64] }, { x: 0, h: 1 }],
  ['a symbol named batch behind another', { x: ['batch', 'sequence'], h: [2, 'batch', 64] }, { x: 0, h: 1 }],
  ['lengths beside waveforms', { wave: ['batch_size', 'N'], lengths: ['batch_size'] }, { wave: 0, lengths: 0 }],
  ['nameless symbols of a state', { x: ['x.0', 'x.1'], s: [2, 's.1', 128], sr: [] }, { x: 0, s: 1, sr: 'none' }],
  ['states of one course of time', { x: ['sequence_length', 576], h: [1, 1, 128] }, { x: 'none', h: 0 }],
  ['time first', { x: ['T', 'N', 64] }, { x: 1 }],
  ['tokens of one text', { tokens: ['T'] }, { tokens: 'none' }],
  ['nameless tokens of one text', { tokens: ['tokens.0'] }, { tokens: 'none' }],
  ['tokens of one text of fixed length', { tokens: [128] }, { tokens: 'none' }],
  ['texts as a batch', { tokens: [1, 'T'], mask: [1, 'T'] }, { tokens: 0, mask: 0 }],
  ['a table without a batch beside a picture', { x: [1, 3, 8, 8], table: [16, 16] }, { x: 0, table: 'none' }],
];

test.each(CASES)('%s', (_, shapes, axes) => {
  expect(Object.fromEntries(findSampleAxes(types(shapes)))).toEqual(axes);
});

test('what is declared counts, and tells which symbol is the batch', () => {
  const inputs = types({ x: ['T', 'M', 64], h: [2, 'M', 8] });
  expect(Object.fromEntries(findSampleAxes(inputs, new Map([['x', 1]])))).toEqual({ x: 1, h: 1 });
  expect(Object.fromEntries(findSampleAxes(inputs, new Map([['x', 'none']])))).toMatchObject({ x: 'none' });
});

test('declarations travel in metadata; what is not ours is left alone', () => {
  const declared = new Map<string, SampleAxis>([
    ['x', 1],
    ['y', 'none'],
  ]);
  expect(declaredSampleAxes(sampleAxesMetadata(declared))).toEqual(declared);
  expect(sampleAxesMetadata(new Map()).size).toBe(0);
  const [[key]] = sampleAxesMetadata(declared);
  for (const text of ['', '[', 'null', '7', '{"x":-1,"y":"last","z":1.5}'])
    expect(declaredSampleAxes(new Map([[key, text]])).size).toBe(0);
});
