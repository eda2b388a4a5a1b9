import { findDependencies, type Unit } from '../../../lib/compress/structured/dependencies';
import { removeUnits } from '../../../lib/compress/structured/remove-units';
import { Rng } from '../../../lib/core/rng';
import type { Graph } from '../../../lib/ir/graph';
import { elementCount, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { toDense } from '../../../lib/ops/dense';
import { random } from '../../ops/draw';
import { evaluateGraph } from '../../ops/evaluate-graph';
import { attentionNet, BLOCK_NAMES, netOf, recurrentNet } from './random-nets';

/** The graph with all weights of the units zero: biases, statistics and the weights behind them among them. */
function silence(graph: Graph, units: readonly Unit[]): Graph {
  const initializers = new Map(graph.initializers);
  for (const { members } of units)
    for (const { value, axis, indices } of members) {
      const tensor = initializers.get(value);
      if (tensor?.type !== 'float32') continue;
      const inner = elementCount(tensor.dims.slice(axis + 1));
      const gone = new Set(indices);
      const data = viewAs(tensor, 'float32').map((weight, at) =>
        gone.has(Math.floor(at / inner) % tensor.dims[axis]) ? 0 : weight,
      );
      initializers.set(value, tensorOf('float32', tensor.dims, data));
    }
  return { ...graph, initializers };
}

/** Some units of every group; at least one of each stays. */
function drawUnits(graph: Graph, seed: number): Unit[] {
  const rng = new Rng(seed);
  return findDependencies(graph).groups.flatMap(({ units }) => {
    const count = rng.integer(0, units.length - 1);
    return Array.from(rng.permutation(units.length).subarray(0, count), (index) => units[index]);
  });
}

function outputOf(graph: Graph): ArrayLike<number> {
  const dims = graph.values.get('x')!.shape!.map((dim) => (typeof dim === 'number' ? dim : 2));
  const values = evaluateGraph(graph, new Map([['x', toDense(random(dims), 'float64')]]), 'float64');
  return values.get(graph.outputs[0])!.data;
}

/** Units without weights change nothing when they go, and take parameters along. */
function checkRemoval(graph: Graph, seed: number): number {
  const units = drawUnits(graph, seed);
  const silent = silence(graph, units);
  const smaller = removeUnits(silent, units);
  const [expected, found] = [outputOf(silent), outputOf(smaller)];
  const largest = Math.max(...Array.from(expected, Math.abs), 1);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(found[i] - expected[i]) / largest).toBeLessThan(1e-5);
  if (units.length > 0) expect(parameters(smaller)).toBeLessThan(parameters(graph));
  return units.length;
}

function parameters(graph: Graph): number {
  return [...graph.initializers.values()].reduce((sum, { dims }) => sum + elementCount(dims), 0);
}

describe('removing units whose weights are zero leaves the outputs as they are', () => {
  test.each(BLOCK_NAMES)('%s', (name) => {
    let removed = 0;
    for (const seed of [1, 2, 3])
      for (const head of ['flatten', 'average'] as const)
        removed += checkRemoval(netOf([name, 'plain'], seed, head), seed);
    expect(removed).toBeGreaterThan(0);
  });

  test('random networks', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const rng = new Rng(seed);
      const names = Array.from({ length: 4 }, () => BLOCK_NAMES[rng.integer(0, BLOCK_NAMES.length - 1)]);
      checkRemoval(netOf(names, seed, seed % 2 === 0 ? 'flatten' : 'average'), seed);
    }
  });

  test('attention', () => {
    for (let seed = 1; seed <= 6; seed++) checkRemoval(attentionNet(4, 3), seed);
  });
});

describe('hidden units of recurrent layers', () => {
  test.each([
    ['LSTM', 'forward'],
    ['LSTM', 'bidirectional'],
    ['GRU', 'forward'],
    ['GRU', 'bidirectional'],
  ] as const)('%s, %s: silent ones go without a trace', (op, direction) => {
    let removed = 0;
    for (const seed of [1, 2, 3]) removed += checkRemoval(recurrentNet(op, direction), seed);
    expect(removed).toBeGreaterThan(0);
  });
});

describe('what hangs together', () => {
  const sizes = (graph: Graph) =>
    findDependencies(graph).groups.map(({ units, layers }) => `${units.length} x ${layers.length}`);

  test('attention loses whole heads: their columns of three projections go with the rows behind them', () => {
    const graph = attentionNet(4, 3);
    const { groups } = findDependencies(graph);
    const heads = groups.find(({ units }) => units.length === 4)!;
    expect(heads.layers).toHaveLength(3);
    const weights = heads.units[0].members.filter(({ value }) => graph.initializers.has(value));
    expect(weights.map(({ indices }) => indices.length)).toEqual(Array(weights.length).fill(3));
    expect(weights).toHaveLength(7);
  });

  test('a residual stream is one group over all layers that add to it; branches have groups of their own', () => {
    expect(sizes(netOf(['residual', 'residual'], 1, 'average'))).toEqual([
      '8 x 3',
      expect.any(String),
      expect.any(String),
    ]);
  });

  test('padded channels are a group of the wide layers alone', () => {
    const { groups } = findDependencies(netOf(['shortcut'], 1, 'average'));
    expect(groups.map(({ units }) => units.length)).toEqual([8, 4]);
    expect(groups.map(({ layers }) => layers.length)).toEqual([2, 1]);
  });

  test('groups of a convolution go whole when they are many, else channel by channel of each', () => {
    expect(sizes(netOf(['manyGroups'], 1, 'average'))[0]).toBe('4 x 2');
    expect(sizes(netOf(['grouped'], 1, 'average'))).toEqual(['4 x 1', '4 x 1']);
  });

  test('outputs of the graph stay, with the reason', () => {
    const last = findDependencies(netOf(['plain'], 1, 'average')).layers.at(-1)!;
    expect(last.groups).toEqual([]);
    expect(last.fixed).toMatch(/it reaches the graph output 'add'/);
  });
});
