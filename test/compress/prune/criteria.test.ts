import { productLayer } from '../../../lib/compress/layer-inputs';
import { magnitudeScores } from '../../../lib/compress/prune/magnitude';
import { movementScores } from '../../../lib/compress/prune/movement';
import { randomScores } from '../../../lib/compress/prune/random';
import { snipScores } from '../../../lib/compress/prune/snip';
import { addTaylorScores } from '../../../lib/compress/prune/taylor';
import { wandaScores } from '../../../lib/compress/prune/wanda';
import { CRITERIA, type CriterionRow } from '../../../lib/compress/prune/weight-criteria';
import { ColumnPower } from '../../../lib/compress/second-moment';
import { GraphBuilder } from '../../../lib/ir/builder';
import { tensorOf, viewAs } from '../../../lib/ir/tensor';
import { uniform } from '../../ops/op-case';

const weights = [1, -2, 0.5, 0, -4];
const gradient = [0.5, 0.25, -4, 7, 0];

test.each(Object.entries<CriterionRow>(CRITERIA))('%s has code for what its row says', (_, row) => {
  const { needs, measure, follow, damage } = row;
  expect(measure !== undefined || follow !== undefined).toBe(true);
  expect(measure === undefined).toBe(needs === 'training');
  expect(measure === 'by solving').toBe(damage === 'output-error');
});

test('magnitude', () => {
  expect(Array.from(magnitudeScores(weights))).toEqual([1, 2, 0.5, 0, 4]);
});

test('random: uniform, one stream per tensor, the same for the same seed', () => {
  const scores = randomScores(1000, 7, 0);
  expect(scores).toEqual(randomScores(1000, 7, 0));
  expect(scores).not.toEqual(randomScores(1000, 8, 0));
  expect(scores).not.toEqual(randomScores(1000, 7, 1));
  expect(scores.reduce((sum, score) => sum + score, 0) / 1000).toBeCloseTo(0.5, 1);
});

test('SNIP', () => {
  expect(Array.from(snipScores(weights, gradient))).toEqual([0.5, 0.5, 2, 0, 0]);
});

test('Taylor adds up squares, weighed by the share of the batch', () => {
  const sums = new Float64Array(5);
  addTaylorScores(sums, weights, gradient, 0.5);
  addTaylorScores(sums, weights, [1, 0, 0, 0, 1], 0.5);
  expect(Array.from(sums)).toEqual([0.625, 0.125, 2, 0, 8]);
});

test('movement', () => {
  expect(Array.from(movementScores(gradient))).toEqual(gradient);
});

test('Wanda: |w| times the norm of its inputs, for groups and kernel taps', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [2, 4, 4, 5]);
  const w = uniform([6, 2, 3, 3], 2);
  builder.output(builder.node('Conv', [x, builder.initializer(w)], { group: 2, pads: [1, 1, 1, 1] }));
  const graph = builder.build();
  const layer = productLayer(graph, graph.nodes[0]);
  if (typeof layer === 'string') throw new Error(layer);
  const input = uniform([2, 4, 4, 5]);
  const power = new ColumnPower(layer);
  power.observe(viewAs(input, 'float32'), input.dims);
  const matrix = layer.matrix(w);
  const scores = layer.matrix(
    tensorOf('float32', w.dims, Float32Array.from(wandaScores(viewAs(w, 'float32'), [{ layer, power: power.sums }]))),
  );
  const rows = layer.rows(viewAs(input, 'float32'), input.dims);
  const count = layer.rowsIn(input.dims);
  for (let at = 0; at < scores.length; at++) {
    const [group, column] = [Math.floor(at / (layer.units * layer.columns)), at % layer.columns];
    let square = 0;
    for (let row = 0; row < count; row++) square += rows[(group * count + row) * layer.columns + column] ** 2;
    expect(scores[at]).toBeCloseTo(Math.abs(matrix[at]) * Math.sqrt(square), 5);
  }
});
