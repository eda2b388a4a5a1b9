import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { forEachGradient } from '../../lib/train/gradient-pass';
import { crossEntropy } from '../../lib/train/losses';
import { random } from '../ops/draw';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

function classifier(batch: number | string): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [batch, 6]);
  const weights = builder.initializer(random([6, 3], -1, 1, 1), 'w');
  builder.output(builder.node('MatMul', [x, weights]), 'float32', [batch, 3]);
  return inferShapes(builder.build()).graph;
}

function samples(count: number) {
  const x = random([count, 6], -1, 1, 2);
  return datasetFromTensors(
    'drawn',
    new Map([['x', x]]),
    Int32Array.from({ length: count }, (_, n) => n % 3),
  );
}

async function countsOf(batch: number | string, count: number): Promise<number[]> {
  const counts: number[] = [];
  const options = { loss: crossEntropy(), wanted: ['w'], batchSize: 4 };
  await forEachGradient(classifier(batch), samples(count), options, reference.evaluate, (gradients, size) => {
    expect(gradients.get('w')!.dims).toEqual([6, 3]);
    counts.push(size);
  });
  return counts;
}

test.each([
  ['a free batch', 'N', 10, [4, 4, 2]],
  ['a fixed batch', 5, 10, [5, 5]],
  ['a fixed batch with a remainder', 4, 10, [4, 4]],
  ['a fixed batch of 1', 1, 3, [1, 1, 1]],
] as const)('%s: batches of gradients', async (_, batch, count, expected) => {
  expect(await countsOf(batch, count)).toEqual(expected);
});

test('fewer samples than a fixed batch are refused', async () => {
  await expect(countsOf(8, 5)).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
});
