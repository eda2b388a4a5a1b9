import { feedsOf } from '../../lib/compress/feeds';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dim, Graph } from '../../lib/ir/graph';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';

function graphWith(...shape: Dim[]): Graph {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', shape);
  return builder.build();
}

/** Samples 0, 1, 2, ... of the given shape, each filled with its number. */
function samples(count: number, ...dims: number[]) {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const values = Array.from({ length: count * size }, (_, i) => Math.floor(i / size));
  return datasetFromTensors('samples', new Map([['x', tensorFrom('float32', [count, ...dims], values)]]));
}

/** Shape and first element of every run. */
async function runsOf(graph: Graph, dataset: ReturnType<typeof samples>): Promise<string[]> {
  const runs: string[] = [];
  for await (const { inputs, count } of feedsOf(graph, dataset)) {
    const x = inputs.get('x')!;
    runs.push(`${count}: [${x.dims}] from ${toNumbers(x)[0]}`);
  }
  return runs;
}

test('a free batch takes as many samples as the memory budget allows', async () => {
  expect(await runsOf(graphWith('N', 2), samples(70, 2))).toEqual(['64: [64,2] from 0', '6: [6,2] from 64']);
  // An inner value of 2^22 elements per sample: three samples stay below 2^24 with all that is beside it.
  const graph = graphWith('N', 2);
  const values = new Map([...graph.values, ['inner', { type: 'float32', shape: ['N', 2 ** 22] }] as const]);
  expect(await runsOf({ ...graph, values }, samples(4, 2))).toEqual(['3: [3,2] from 0', '1: [1,2] from 3']);
});

test('a fixed batch leaves a remainder out', async () => {
  expect(await runsOf(graphWith(2, 3), samples(5, 3))).toEqual(['2: [2,3] from 0', '2: [2,3] from 2']);
  await expect(runsOf(graphWith(8, 3), samples(5, 3))).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
});

test('a sample with the whole shape of the input runs alone', async () => {
  expect(await runsOf(graphWith(1, 2, 3), samples(2, 1, 2, 3))).toEqual(['1: [1,2,3] from 0', '1: [1,2,3] from 1']);
});

test('stops when interrupted and without samples', async () => {
  const graph = graphWith('N', 2);
  const next = (dataset: ReturnType<typeof samples>, signal?: AbortSignal) => feedsOf(graph, dataset, signal).next();
  await expect(next(samples(4, 2), AbortSignal.abort())).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  await expect(next(samples(4, 2).select([]))).rejects.toMatchObject({ code: 'E_DATA_EMPTY' });
});
