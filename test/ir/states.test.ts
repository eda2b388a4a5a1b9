import type { Dim, ValueType } from '../../lib/ir/graph';
import { declaredStates, findStates, statesMetadata } from '../../lib/ir/states';

type Shapes = Readonly<Record<string, readonly Dim[]>>;
const types = (shapes: Shapes) =>
  new Map(Object.entries(shapes).map(([name, shape]): [string, ValueType] => [name, { type: 'float32', shape }]));

const STATE = [2, 1, 64];
const CASES: readonly [what: string, inputs: Shapes, outputs: Shapes, states: Readonly<Record<string, string>>][] = [
  ['h and hn, c and cn', { x: [1, 8], h: STATE, c: STATE }, { y: [1, 1], hn: STATE, cn: STATE }, { h: 'hn', c: 'cn' }],
  ['h0 and h_n', { x: [1, 8], h0: STATE, c0: STATE }, { y: [1], h_n: STATE, c_n: STATE }, { h0: 'h_n', c0: 'c_n' }],
  ['state and stateN', { x: [1, 8], state: STATE }, { y: [1, 1], stateN: STATE }, { state: 'stateN' }],
  ['s and sn', { x: [1, 8], s: STATE }, { y: [1, 8], sn: STATE }, { s: 'sn' }],
  [
    'numbered caches',
    { x: [1, 8], cache_in_1: STATE, cache_in_2: STATE },
    { y: [1], cache_out_1: STATE, cache_out_2: STATE },
    { cache_in_1: 'cache_out_1', cache_in_2: 'cache_out_2' },
  ],
  ['camel case', { x: [1, 8], inputState: STATE }, { y: [1], outputState: STATE }, { inputState: 'outputState' }],
  ['free extents', { x: ['N', 8], h: [2, 'N', 64] }, { y: ['N'], hn: ['a', 'b', 64] }, { h: 'hn' }],
  ['another shape', { x: [1, 8], h: STATE }, { y: [1], hn: [2, 1, 32] }, {}],
  ['names that do not tell', { input_2: [1, 8], input_3: STATE }, { a: [1, 8], stack: STATE }, {}],
  ['a picture and its mask', { image: [1, 3, 8, 8], mask: [1, 1, 8, 8] }, { image_out: [1, 3, 8, 8] }, {}],
  ['an autoencoder', { h: [1, 8] }, { hn: [1, 8] }, {}],
  ['two outputs that could be it', { x: [1], h: STATE }, { h_out: STATE, h_new: STATE }, {}],
];

test.each(CASES)('%s', (_, inputs, outputs, states) => {
  expect(Object.fromEntries(findStates(types(inputs), types(outputs)))).toEqual(states);
});

test('what is declared counts', () => {
  const [inputs, outputs] = [types({ input_2: [1, 8], input_3: STATE }), types({ a: [1, 8], stack: STATE })];
  const declared = new Map([
    ['input_3', 'stack'],
    ['gone', 'stack'],
  ]);
  expect(findStates(inputs, outputs, declared)).toEqual(new Map([['input_3', 'stack']]));
  expect(declaredStates(statesMetadata(declared))).toEqual(declared);
  for (const text of ['{', '7', '{"a":1}']) expect(declaredStates(new Map([['hone.states', text]])).size).toBe(0);
});
