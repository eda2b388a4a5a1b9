import { GraphBuilder } from '../../lib/ir/builder';
import type { Dim, Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { bindInputs, bindToOneSample, bindToSamples, freeInputs, requireExtents } from '../../lib/passes/bind-inputs';
import { fixBatch } from '../../lib/passes/fix-batch';

function graphOf(inputs: Readonly<Record<string, readonly Dim[] | undefined>>): Graph {
  const builder = new GraphBuilder();
  for (const [name, shape] of Object.entries(inputs))
    builder.output(builder.node('Neg', [builder.input(name, 'float32', shape)]), 'float32', shape);
  return builder.build();
}
const shapesOf = ({ inputs, values }: Graph) =>
  Object.fromEntries(inputs.map((name) => [name, values.get(name)!.shape]));

test('given extents count as if the file said so; one symbol is one extent', () => {
  const graph = graphOf({ x: ['N', 3, 'H', 'W'], mask: ['N', 'H', 'W'], r: undefined });
  expect(shapesOf(bindInputs(graph, new Map([['x', [1, 3, 5, 7]]])))).toEqual({
    x: ['N', 3, 5, 7],
    mask: ['N', 5, 7],
    r: undefined,
  });
  expect(
    shapesOf(
      bindInputs(
        graph,
        new Map([
          ['x', [2, 3, 5, 7]],
          ['mask', [2, 5, 7]],
          ['r', [4]],
        ]),
      ),
    ),
  ).toEqual({ x: [2, 3, 5, 7], mask: [2, 5, 7], r: [4] });
});

const REFUSED: readonly [what: string, given: Readonly<Record<string, readonly number[]>>, message: RegExp][] = [
  ['an input that is not there', { y: [1] }, /expected an input \(x, mask\), found 'y'/],
  ['another rank', { x: [1, 3, 5] }, /expected x as \[N, 3, H, W\], found 'x=1,3,5'/],
  ['an extent that the model fixes', { x: [1, 4, 5, 7] }, /expected x as \[N, 3, H, W\]/],
  ['two extents of one symbol', { x: [1, 3, 5, 7], mask: [1, 6, 7] }, /expected H to be 5 in mask, as in x/],
  ['two batches', { x: [1, 3, 5, 7], mask: [2, 5, 7] }, /expected N to be 1 in mask, as in x/],
];
test.each(REFUSED)('refuses %s', (_, given, message) => {
  const graph = graphOf({ x: ['N', 3, 'H', 'W'], mask: ['N', 'H', 'W'] });
  expect(() => bindInputs(graph, new Map(Object.entries(given)))).toThrow(
    expect.objectContaining({ code: 'E_OPTION_VALUE', message: expect.stringMatching(message) }),
  );
});

test('for one sample the batch is 1, wherever it is; what else is free is asked for', () => {
  const graph = graphOf({ x: ['batch', 'T'], h: [2, 'batch', 8] });
  expect(shapesOf(bindToOneSample(graph))).toEqual({ x: [1, 'T'], h: [2, 1, 8] });
  expect(freeInputs(graph)).toEqual([{ name: 'x', shape: [1, 'T'] }]);
  expect(() => requireExtents(graph)).toThrow(
    expect.objectContaining({
      code: 'E_SHAPE_FREE',
      message: 'the model leaves extents of its inputs free: x [1, T]',
      hint: expect.stringContaining('`--shape x=1,T`'),
    }),
  );
  expect(() => requireExtents(bindInputs(graph, new Map([['x', [1, 9]]])))).not.toThrow();
});

test('samples give the free extents, and may show that a whole input is one sample', () => {
  const graph = graphOf({ x: ['N', 3, 'H', 'W'], y: ['T', 4] });
  const samples = new Map([
    ['x', { type: 'float32', dims: [3, 5, 7] } as const],
    ['y', { type: 'float32', dims: [6, 4], axis: 'none' } as const],
  ]);
  const bound = bindToSamples(graph, samples);
  expect(shapesOf(bound)).toEqual({ x: ['N', 3, 5, 7], y: [6, 4] });
  expect(shapesOf(bindToOneSample(bound))).toEqual({ x: [1, 3, 5, 7], y: [6, 4] });
});

describe('a batch that only the inputs leave free becomes 1', () => {
  const build = (target: readonly number[], end: (builder: GraphBuilder, value: string) => string): Graph => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', ['N', 4, 6]);
    const shape = builder.initializer(tensorFrom('int64', [target.length], target), 'shape');
    builder.output(end(builder, builder.node('Reshape', [x, shape])), 'float32', undefined);
    return builder.build();
  };
  const multiply = (rows: number) => (builder: GraphBuilder, value: string) =>
    builder.node('MatMul', [
      value,
      builder.initializer(tensorFrom('float32', [rows, 2], Array(2 * rows).fill(1)), 'w'),
    ]);
  const same = (_: GraphBuilder, value: string) => value;
  const mean = (builder: GraphBuilder, value: string) => builder.node('GlobalAveragePool', [value]);

  test.each([
    ['numbers inside', build([1, 24], multiply(24)), 1],
    ['a product behind [1, -1]', build([1, -1], multiply(24)), 1],
    ['a mean behind [1, -1, ...]', build([1, -1, 4, 6], mean), 'N'],
    ['a mean over all samples', build([1, 1, -1, 6], mean), 1],
    ['[-1, ...]', build([-1, 24], multiply(24)), 'N'],
    ['[0, ...]', build([0, 24], multiply(24)), 'N'],
    ['rows of all samples', build([-1, 6], same), 'N'],
  ])('%s', (_, graph, batch) => {
    expect(shapesOf(fixBatch(graph)).x).toEqual([batch, 4, 6]);
  });
});
