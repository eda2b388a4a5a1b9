import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { readModelFile } from '../../lib/onnx/read-model';
import { parseTensor } from '../../lib/onnx/read-tensor';
import { toDense } from '../../lib/ops/dense';
import { inferShapes, symbolsOf } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { upgrade } from '../../lib/passes/upgrade';
import { openReference } from '../../lib/reference/session';
import { dataPath, describeWithData, MODELS } from '../data';
import { evaluateGraph } from '../ops/evaluate-graph';

const read = (model: string) => readModelFile(dataPath('models', `${model}.onnx`));

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

/** Folders of a model's golden inputs and outputs. */
function goldenSets(model: string): string[] {
  const folder = dataPath('golden', model);
  return readdirSync(folder).map((set) => join(folder, set));
}

/** Numbers for the symbols of the inputs, from golden inputs. */
function sizesOf(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const [name, { dims }] of feeds)
    graph.values.get(name)!.shape!.forEach((dim, axis) => {
      if (typeof dim === 'string') sizes[dim] = dims[axis];
    });
  return sizes;
}

/** Largest difference, relative to the largest expected magnitude. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const scale = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return Array.from(found).reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]) / scale), 0);
}

const elements = (tensor: Tensor) => toDense(tensor, 'float32').data;

describeWithData('the real models', () => {
  test.each(MODELS)('%s: upgrade and shape inference know every value', async (model) => {
    const upgraded = upgrade(await read(model));
    const { graph, diagnostics } = inferShapes(upgraded.graph);
    expect([...upgraded.diagnostics, ...diagnostics]).toEqual([]);
    const made = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
    expect(made.filter((name) => graph.values.get(name)?.shape === undefined)).toEqual([]);
  });

  test.each(MODELS)('%s: every shape is numbers once the inputs are bound', async (model) => {
    const original = await read(model);
    const shapes = Object.fromEntries(symbolsOf(original).map((symbol) => [symbol, 3]));
    const { graph } = prepare(original, { shapes });
    const made = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter((name) => !graph.values.get(name)?.shape?.every((dim) => typeof dim === 'number'))).toEqual([]);
    expect(graph.nodes.map(({ op }) => op)).not.toEqual(expect.arrayContaining(['Shape']));
  });

  test.each(MODELS)('%s: prepared, it gives the golden outputs through onnxruntime', async (model) => {
    const original = await read(model);
    for (const shaped of [false, true]) {
      const [first] = goldenSets(model);
      const shapes = shaped ? sizesOf(original, readTensors(first, 'input', original.inputs)) : undefined;
      const { graph, diagnostics } = prepare(original, { shapes, verify: true });
      expect(diagnostics).toEqual([]);
      await using session = await openReference(graph);
      let checked = 0;
      for (const set of goldenSets(model)) {
        const feeds = readTensors(set, 'input', graph.inputs);
        if (shaped && JSON.stringify(sizesOf(original, feeds)) !== JSON.stringify(shapes)) continue;
        const results = await session.run(feeds);
        for (const [name, expected] of readTensors(set, 'output', graph.outputs)) {
          const found = results.get(name)!;
          expect(found.dims).toEqual(expected.dims);
          expect(relativeError(elements(found), elements(expected))).toBeLessThan(1e-4);
          checked++;
        }
      }
      expect(checked).toBeGreaterThan(0);
    }
  });

  test.each(['mnist-8', 'dscnn_kws_mlperftiny', 'dtln_1_lstm', 'aidreams260k_transformer'])(
    '%s: prepared, it gives the golden outputs through the reference evaluation',
    async (model) => {
      const { graph } = prepare(await read(model));
      const [set] = goldenSets(model);
      const feeds = [...readTensors(set, 'input', graph.inputs)];
      const dense = new Map(feeds.map(([name, tensor]) => [name, toDense(tensor, 'float32')]));
      const values = evaluateGraph(graph, dense, 'float32');
      for (const [name, expected] of readTensors(set, 'output', graph.outputs)) {
        expect(values.get(name)!.dims).toEqual(expected.dims);
        expect(relativeError(values.get(name)!.data, elements(expected))).toBeLessThan(1e-4);
      }
    },
  );

  test('ultraface: the shape arithmetic of its exporter folds away', async () => {
    const before = await read('ultraface_rfb_320');
    const { graph } = prepare(before);
    const count = (ops: readonly string[], of: Graph) => of.nodes.filter(({ op }) => ops.includes(op)).length;
    const NOISE = ['Shape', 'Gather', 'Constant', 'Unsqueeze', 'Cast', 'Identity'];
    expect(count(NOISE, before)).toBeGreaterThan(50);
    expect(count(NOISE, graph)).toBe(0);
  });

  test('resnet20: every BatchNormalization is fused, and shortcuts stay Slice and Pad', async () => {
    const { graph } = prepare(await read('resnet20_cifar10'));
    const ops = graph.nodes.map(({ op }) => op);
    expect(ops).not.toContain('BatchNormalization');
    expect(ops).toEqual(expect.arrayContaining(['Slice', 'Pad', 'GlobalAveragePool', 'Gemm']));
  });

  test.each(MODELS)('%s: preparing again changes nothing', async (model) => {
    const once = prepare(await read(model)).graph;
    const twice = prepare(once);
    expect(twice.diagnostics).toEqual([]);
    expect(twice.graph.nodes).toEqual(once.nodes);
  });
});
