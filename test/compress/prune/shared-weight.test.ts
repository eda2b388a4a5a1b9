import type { MethodContext } from '../../../lib/compress/method';
import { type PruneReport, prune } from '../../../lib/compress/prune/prune';
import { pruneOptions } from '../../../lib/compress/prune/prune-options';
import { pruneShared, type WeightReader } from '../../../lib/compress/prune/shared-weight';
import { sparseGpt } from '../../../lib/compress/prune/sparsegpt';
import { parseOptions } from '../../../lib/core/parse-options';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { createReferenceEvaluate } from '../../../lib/reference/evaluate';

/** `X^T X` of correlated rows of unlike columns. */
function drawnMoment(rng: Rng, rows: number, columns: number): Float64Array {
  const scales = Array.from({ length: columns }, () => Math.exp(rng.normal()));
  const moment = new Float64Array(columns ** 2);
  for (let row = 0; row < rows; row++) {
    const common = rng.normal();
    const x = scales.map((scale) => scale * (common + 0.5 * rng.normal()));
    for (let i = 0; i < columns; i++) for (let j = 0; j < columns; j++) moment[i * columns + j] += x[i] * x[j];
  }
  return moment;
}

/** A weight `[rows, columns]` that one layer reads by rows and another one by columns. */
function drawn(seed: number, rows: number, columns: number) {
  const rng = new Rng(seed);
  const weights = Float32Array.from({ length: rows * columns }, () => rng.normal());
  const byRows = Uint32Array.from({ length: rows * columns }, (_, at) => at);
  const byColumns = Uint32Array.from(
    { length: rows * columns },
    (_, at) => (at % rows) * columns + Math.floor(at / rows),
  );
  const readers: WeightReader[] = [
    { layer: { groups: 1, units: rows, columns, positions: byRows }, moment: drawnMoment(rng, 40, columns) },
    { layer: { groups: 1, units: columns, columns: rows, positions: byColumns }, moment: drawnMoment(rng, 40, rows) },
  ];
  return { weights, readers };
}

/** The whole matrix of the damage, `2 X^T X` and 1 % of the mean diagonal per reader, element by element of the tensor. */
function damageMatrix(count: number, readers: readonly WeightReader[]): number[][] {
  const whole = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  for (const { layer, moment } of readers) {
    const { units, columns, positions } = layer;
    let trace = 0;
    for (let i = 0; i < columns; i++) trace += 2 * moment[i * columns + i];
    for (let unit = 0; unit < units; unit++)
      for (let i = 0; i < columns; i++)
        for (let j = 0; j < columns; j++) {
          const [a, b] = [positions[unit * columns + i], positions[unit * columns + j]];
          whole[a][b] += 2 * moment[i * columns + j] + (i === j ? (0.01 * trace) / columns : 0);
        }
  }
  return whole;
}

/** Least damage with these elements kept, and the weights that have it: by plain Gaussian elimination. */
function best(h: readonly (readonly number[])[], w: Float32Array, kept: readonly number[]) {
  const system = kept.map((i) => [...kept.map((j) => h[i][j]), w.reduce((sum, value, j) => sum + h[i][j] * value, 0)]);
  kept.forEach((_, pivot) => {
    system.forEach((line, row) => {
      if (row === pivot) return;
      const factor = line[pivot] / system[pivot][pivot];
      for (let k = pivot; k <= kept.length; k++) line[k] -= factor * system[pivot][k];
    });
  });
  const v = new Float64Array(w.length);
  kept.forEach((place, index) => {
    v[place] = system[index][kept.length] / system[index][index];
  });
  const change = Array.from(v, (value, at) => value - w[at]);
  const damage = change.reduce((sum, a, i) => sum + change.reduce((inner, b, j) => inner + a * h[i][j] * b, 0), 0);
  return { v, damage };
}

describe('a weight read in two orientations', () => {
  const choices = (count: number, zeros: number): number[][] =>
    Array.from({ length: 2 ** count }, (_, bits) =>
      Array.from({ length: count }, (_, at) => at).filter((at) => (bits >> at) & 1),
    ).filter((kept) => kept.length === count - zeros);

  test.each([2, 4, 6])('%d of 12 zeros: exact least squares, and near the best of all choices', (zeros) => {
    let [found, least, plain] = [0, 0, 0];
    for (let seed = 1; seed <= 12; seed++) {
      const { weights, readers } = drawn(seed, 3, 4);
      const h = damageMatrix(12, readers);
      const { weights: after } = pruneShared({ weights, readers, goal: { sparsity: zeros / 12 } });
      const kept = [...after.keys()].filter((at) => after[at] !== 0);
      expect(kept).toHaveLength(12 - zeros);
      const own = best(h, weights, kept);
      after.forEach((value, at) => {
        expect(value).toBeCloseTo(own.v[at], 3);
      });
      const bySize = [...weights.keys()]
        .sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]))
        .slice(0, 12 - zeros);
      // Shares of the best: the scale of a draw does not matter.
      const reference = Math.min(...choices(12, zeros).map((each) => best(h, weights, each).damage));
      found += own.damage / reference;
      plain += best(h, weights, bySize).damage / reference;
      least++;
    }
    expect(found / least).toBeLessThan(1.5);
    expect(found).toBeLessThan(0.75 * plain);
  });

  test('zeros stay zeros, a choice by worth is followed', () => {
    const { weights, readers } = drawn(5, 3, 4);
    weights.fill(0, 3, 6);
    const { weights: after } = pruneShared({
      weights,
      readers,
      goal: { choose: (worth) => worth.map((_, at) => at % 2) },
    });
    expect([...after.keys()].filter((at) => after[at] !== 0)).toEqual([1, 7, 9, 11]);
    const { weights: none, change } = pruneShared({ weights, readers, goal: { sparsity: 0 } });
    none.forEach((value, at) => {
      expect(value).toBeCloseTo(weights[at], 5);
    });
    expect(change.lost).toBeLessThan(1e-6 * change.whole);
  });

  test('with one reader it does no worse than SparseGPT', () => {
    let [shared, single] = [0, 0];
    for (let seed = 1; seed <= 10; seed++) {
      const { weights, readers } = drawn(seed, 6, 10);
      const [{ layer, moment }] = readers;
      const problem = { weights, units: 6, columns: 10, moment, goal: { sparsity: 0.5 } };
      shared += pruneShared({ weights, readers: [{ layer, moment }], goal: { sparsity: 0.5 } }).change.lost;
      single += sparseGpt(problem).change.lost;
    }
    expect(shared).toBeLessThan(1.1 * single);
  });
});

const reference = createReferenceEvaluate();
afterAll(() => reference.close());

/** Two layers over one weight `[6, 4]`, `[6, 4, 3, 3]` or `[4, 4]`, each on an input of its own; their outputs are those of the graph. */
const NETWORKS: readonly [
  name: string,
  build: (builder: GraphBuilder, w: string, x: string, y: string) => string[],
  dims: { w: number[]; x: number[]; y: number[] },
][] = [
  [
    'Gemm with transB and without',
    (b, w, x, y) => [b.node('Gemm', [x, w], { transB: 1 }), b.node('Gemm', [y, w])],
    { w: [8, 12], x: [12], y: [8] },
  ],
  [
    'Gemm with transB and MatMul',
    (b, w, x, y) => [b.node('Gemm', [x, w], { transB: 1 }), b.node('MatMul', [y, w])],
    { w: [12, 8], x: [8], y: [12] },
  ],
  [
    'Conv and ConvTranspose',
    (b, w, x, y) => [
      b.node('Conv', [x, w], { pads: [1, 1, 1, 1] }),
      b.node('ConvTranspose', [y, w], { pads: [1, 1, 1, 1] }),
    ],
    { w: [8, 4, 3, 3], x: [4, 5, 5], y: [8, 3, 3] },
  ],
  [
    'Gemm twice in one orientation',
    (b, w, x, y) => [b.node('Gemm', [x, w], { transB: 1 }), b.node('Gemm', [y, w], { transB: 1 })],
    { w: [8, 12], x: [12], y: [12] },
  ],
  [
    'a square weight in both orientations',
    (b, w, x, y) => [b.node('MatMul', [x, w]), b.node('Gemm', [y, w], { transB: 1 })],
    { w: [12, 12], x: [12], y: [12] },
  ],
];

function drawnTensor(rng: Rng, dims: readonly number[], unlike: number): Tensor {
  const inner = dims.slice(1).reduce((product, dim) => product * dim, 1);
  const scales = Float64Array.from({ length: inner }, () => Math.exp(unlike * rng.normal()));
  let common = 0;
  const data = Float32Array.from({ length: dims[0] * inner }, (_, at) => {
    if (at % inner === 0) common = rng.normal();
    return scales[at % inner] * (unlike * common + rng.normal());
  });
  return tensorOf('float32', dims, data);
}

describe.each(NETWORKS)('%s', (_, build, dims) => {
  const rng = new Rng(11);
  const builder = new GraphBuilder({ name: 'tied' });
  const w = builder.initializer(drawnTensor(rng, dims.w, 0), 'w');
  const inputs = (['x', 'y'] as const).map((name) => builder.input(name, 'float32', ['N', ...dims[name]]));
  for (const output of build(builder, w, inputs[0], inputs[1])) builder.output(output, 'float32', undefined);
  const graph = builder.build();
  const tensors = new Map(
    (['x', 'y'] as const).map((name) => [name, drawnTensor(rng, [64, ...dims[name]], 1)] as const),
  );
  const calibration: Dataset = datasetFromTensors('drawn', tensors);

  async function pruned(options: object): Promise<{ graph: Graph; report: PruneReport; lost: number }> {
    const context: MethodContext = {
      data: { training: undefined, calibration, validation: calibration },
      evaluate: reference.evaluate,
      score: async () => 0,
      teacher: graph,
      seed: 1,
      keep: new Set(),
      target: { isa: 'ref' },
    };
    const result = await prune.apply(graph, parseOptions(pruneOptions, options), context);
    let lost = 0;
    const [before, after] = [
      await reference.evaluate(graph, tensors, graph.outputs),
      await reference.evaluate(result.graph, tensors, graph.outputs),
    ];
    for (const name of graph.outputs) {
      const [a, b] = [viewAs(before.get(name)!, 'float32'), viewAs(after.get(name)!, 'float32')];
      a.forEach((value, at) => {
        lost += (value - b[at]) ** 2;
      });
    }
    return { graph: result.graph, report: result.report as PruneReport, lost };
  }
  const zeros = (of: Graph) => viewAs(of.initializers.get('w')!, 'float32').filter((value) => value === 0).length;
  const count = dims.w.reduce((product, dim) => product * dim, 1);

  test('sparsegpt: the share asked for, less error of all readers than by magnitude or wanda', async () => {
    const solved = await pruned({ criterion: 'sparsegpt', sparsity: 0.5 });
    const wanda = await pruned({ criterion: 'wanda', sparsity: 0.5 });
    expect(zeros(solved.graph)).toBe(count / 2);
    expect(zeros(wanda.graph)).toBe(count / 2);
    expect(solved.lost).toBeLessThan(0.7 * wanda.lost);
    expect(solved.lost).toBeLessThan(0.5 * (await pruned({ criterion: 'magnitude', sparsity: 0.5 })).lost);
    expect(solved.report.layers[0].damage).toBeGreaterThan(0);
  });

  test('2:4: at most two of four neighbours, both criteria', async () => {
    for (const criterion of ['sparsegpt', 'wanda'])
      expect(zeros((await pruned({ criterion, pattern: '2:4' })).graph)).toBe(count / 2);
  });
});
