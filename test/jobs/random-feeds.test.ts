import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import type { ValueType } from '../../lib/ir/graph';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { indexLimits, randomFeeds } from '../../lib/jobs/random-feeds';
import { planIndexLimits } from '../../lib/plan/index-limits';
import { readPlan } from '../../lib/plan/reader';

const inputs = new Map<string, ValueType>([
  ['x', { type: 'float32', shape: [1, 500] }],
  ['pixels', { type: 'uint8', shape: [500] }],
  ['tokens', { type: 'int64', shape: [1, 500] }],
  ['flag', { type: 'bool', shape: [] }],
]);

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number) => [...randomFeeds(inputs, seed).values()].map(toNumbers);
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('types, shapes and ranges', () => {
  const feeds = randomFeeds(inputs, 1, new Map([['tokens', 7]]));
  expect([...feeds.values()].map(({ type, dims }) => [type, dims])).toEqual([
    ['float32', [1, 500]],
    ['uint8', [500]],
    ['int64', [1, 500]],
    ['bool', []],
  ]);
  expect(new Set(toNumbers(feeds.get('tokens')!))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  const mean = toNumbers(feeds.get('x')!).reduce((sum, value) => sum + value / 500, 0);
  expect(Math.abs(mean)).toBeLessThan(0.2);
});

test('free extents are asked for, not taken for 1', () => {
  const free = new Map<string, ValueType>([...inputs, ['y', { type: 'float32', shape: [1, 3, 'H', 'W'] }]]);
  expect(() => randomFeeds(free, 1)).toThrow(
    expect.objectContaining({ code: 'E_SHAPE_FREE', hint: expect.stringContaining('`--shape y=1,3,H,W`') }),
  );
});

test('extents beyond reason are refused before anything is drawn', () => {
  const huge = new Map<string, ValueType>([['x', { type: 'float32', shape: [1, 105226698752] }]]);
  expect(() => randomFeeds(huge, 1)).toThrow(expect.objectContaining({ code: 'E_MEMORY' }));
});

test('a type without random numbers is an error', () => {
  const text = new Map<string, ValueType>([['s', { type: 'string', shape: [1] }]]);
  expect(() => randomFeeds(text, 1)).toThrow(expect.objectContaining({ code: 'E_INPUT_TYPE' }));
});

test('indices stay below the rows of every table that they are looked up in', () => {
  const builder = new GraphBuilder();
  const table = (rows: number, columns: number) =>
    builder.initializer(tensorFrom('float32', [rows, columns], new Array(rows * columns).fill(0)));
  const tokens = builder.input('tokens', 'int32', [3]);
  const other = builder.input('other', 'int64', [3]);
  const plain = builder.input('plain', 'int64', [3]);
  builder.output(builder.node('Gather', [table(9, 5), builder.node('Cast', [tokens], { to: 7 })]));
  builder.output(builder.node('Gather', [table(4, 5), tokens]));
  builder.output(builder.node('Gather', [table(9, 5), other], { axis: 1 }));
  builder.output(builder.node('Neg', [plain]));
  const limits = new Map([
    ['tokens', 4],
    ['other', 5],
  ]);
  const graph = builder.build();
  expect(indexLimits(graph)).toEqual(limits);
  const { plan } = compile(prepareForEngine(graph), { sourceHash: '0'.repeat(64) });
  expect(planIndexLimits(readPlan(plan))).toEqual(limits);
});
