import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, toNumbers } from '../../lib/ir/tensor';
import { readModel, readModelFile } from '../../lib/onnx/read-model';
import { parseTensor } from '../../lib/onnx/read-tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { openReference } from '../../lib/reference/session';
import { dataPath, describeWithData, MODELS } from '../data';

/** Tensors of the files `<prefix>_0.pb`, `<prefix>_1.pb`, ... named by the graph where the file holds no name. */
function readTensors(folder: string, prefix: string, names: readonly string[]): Map<string, Tensor> {
  const files = readdirSync(folder).filter((file) => file.startsWith(prefix));
  return new Map(
    files.map((_, index) => {
      const { name, tensor } = parseTensor(readFileSync(join(folder, `${prefix}_${index}.pb`)));
      return [name || names[index], tensor];
    }),
  );
}

/** Largest difference, relative to the largest expected magnitude. */
function relativeError(found: Tensor, expected: Tensor): number {
  const a = toNumbers(found);
  const b = toNumbers(expected);
  expect(found.dims).toEqual(expected.dims);
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return a.reduce((worst, value, index) => Math.max(worst, Math.abs(value - b[index]) / scale), 0);
}

async function checkGolden(model: string, graph: Graph): Promise<number> {
  const folder = dataPath('golden', model);
  await using session = await openReference(graph, { optimization: 'disabled' });
  let checked = 0;
  for (const set of readdirSync(folder).filter((name) => name.startsWith('test_data_set_'))) {
    const feeds = readTensors(join(folder, set), 'input', graph.inputs);
    const results = await session.run(feeds);
    for (const [name, expected] of readTensors(join(folder, set), 'output', graph.outputs)) {
      expect(relativeError(results.get(name)!, expected)).toBeLessThan(1e-5);
      checked++;
    }
  }
  return checked;
}

describeWithData('golden outputs of the real models after read and write', () => {
  test.each(MODELS)('%s', async (model) => {
    const graph = await readModelFile(dataPath('models', `${model}.onnx`));
    const bytes = writeModel(graph);
    const again = readModel(bytes);
    expect(Buffer.compare(writeModel(again), bytes)).toBe(0);
    expect(await checkGolden(model, again)).toBeGreaterThan(0);
  });
});
