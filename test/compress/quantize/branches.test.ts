import { quantize } from '../../../lib/compress/quantize/quantize';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import { subgraphsOf } from '../../../lib/ir/edit';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, tensorOf } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { openFinishedWith } from '../../../lib/jobs/open-finished';
import { createReferenceEvaluate } from '../../../lib/reference/evaluate';
import { randomTensor } from './networks';

const SAMPLES = 64;
const RATE = 16000;

/** A branch that multiplies the outer `x` (or its upper columns) with weights of its own. */
function branch(columns: number, seed: number): { kind: 'graph'; value: Graph } {
  const b = new GraphBuilder();
  const own = (name: string, values: number[]) => b.initializer(tensorFrom('int64', [values.length], values), name);
  const rows = randomTensor(new Rng(seed), [columns, 4], 0.5);
  const part = b.node('Reshape', ['x', own('extents', [-1, columns])]);
  b.output(b.node('MatMul', [part, b.initializer(rows, 'w')], {}, { outputs: ['made'] }));
  return { kind: 'graph', value: b.build() };
}

/** A network that chooses by the rate of its sound; the other branch takes rows of `other` numbers. */
function network(other: number): Graph {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', 16]);
  const rate = b.node('Equal', [b.input('rate', 'int64', []), b.initializer(tensorFrom('int64', [], [RATE]), 'known')]);
  const made = b.node('If', [rate], { then_branch: branch(16, 1), else_branch: branch(other, 2) });
  // What follows adds 4 numbers to one row: nothing else can be right.
  const one = b.initializer(tensorFrom('float32', [1, 4], [1, 2, 3, 4]), 'shift');
  b.output(b.node('Add', [made, one]), 'float32', undefined);
  return b.build();
}

const samples = datasetFromTensors(
  'sounds',
  new Map([
    ['x', randomTensor(new Rng(3), [SAMPLES, 16])],
    ['rate', tensorOf('int64', [SAMPLES], new BigInt64Array(SAMPLES).fill(BigInt(RATE)))],
  ]),
  undefined,
  new Map([
    ['x', { type: 'float32', dims: [16] }],
    ['rate', { type: 'int64', dims: [], axis: 'none' }],
  ]),
);

test('layers in branches that an input chooses are quantized, and run on the engine', async () => {
  await using reference = createReferenceEvaluate();
  const { graph, report } = await quantize(network(16), {
    dataset: samples,
    evaluate: reference.evaluate,
    openFinished: openFinishedWith(reference.evaluate),
  });
  expect(verify(graph)).toEqual([]);
  expect(graph.nodes.flatMap(subgraphsOf)).toEqual([]);
  expect(report.layers.map(({ op, arithmetic }) => [op, arithmetic])).toEqual([
    ['MatMul', 'integer'],
    ['MatMul', 'integer'],
  ]);
  expect(report.judgedBy.executor).toBe('native');
  expect(report.outputs[0].sqnrDb).toBeGreaterThan(35);
  expect(report.diagnostics.filter(({ kind }) => kind === 'unknown-operator')).toEqual([]);
});

test('a branch that cannot be right for the samples is left out, in words', async () => {
  await using reference = createReferenceEvaluate();
  const { report } = await quantize(network(3), { dataset: samples, evaluate: reference.evaluate });
  expect(report.layers).toHaveLength(1);
  expect(report.diagnostics.map(({ kind }) => kind)).toContain('branch-left-out');
});
