import { feedsOf } from '../../lib/compress/feeds';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import type { Graph } from '../../lib/ir/graph';
import { toNumbers } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { openReference } from '../../lib/reference/session';
import { addNoise, sqnrDb } from '../../lib/telemetry/statistics';
import { describeOnSaturatingHost } from '../saturating-host';
import { compressed, SIBLINGS } from './host-cases';

/** SQNR of the first output of a session as users open them, against exact sums, in dB. */
async function fusedDb(graph: Graph, data: string): Promise<number> {
  const bytes = writeModel(graph);
  const samples = await openDataset(data, { inputs: expectedInputs(graph) });
  await using fused = await openReference(bytes, { integerKernels: true });
  await using exact = await openReference(bytes);
  let noise = { signal: 0, noise: 0 };
  for await (const { inputs } of feedsOf(graph, samples)) {
    const [found, expected] = [await fused.run(inputs), await exact.run(inputs)];
    const [name] = graph.outputs;
    noise = addNoise(noise, toNumbers(expected.get(name)!), toNumbers(found.get(name)!));
  }
  return sqnrDb(noise);
}

describeOnSaturatingHost('fused sessions lose accuracy where compress warns, and not with avoidSaturation', () => {
  test.each(SIBLINGS.map((each) => [each.what, each] as const))('%s', async (_what, { files }) => {
    const paths = await files();
    const plain = await compressed(paths, {});
    expect(plain.report.layers.some(({ saturatingPairs }) => saturatingPairs > 0)).toBe(true);
    expect(await fusedDb(plain.graph, paths.data)).toBeLessThan(plain.foundDb);
    const careful = await compressed(paths, { avoidSaturation: true });
    expect(careful.report.layers.every(({ saturatingPairs }) => saturatingPairs === 0)).toBe(true);
    expect(await fusedDb(careful.graph, paths.data)).toBeGreaterThan(60);
  });
});
