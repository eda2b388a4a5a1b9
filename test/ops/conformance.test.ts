import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { readModel } from '../../lib/onnx/read-model';
import { findOperator } from '../../lib/ops';
import { toDense } from '../../lib/ops/dense';
import type { Dense } from '../../lib/ops/operator';
import { inferShapes } from '../../lib/passes/infer-shapes';
import type { PassResult } from '../../lib/passes/pass-result';
import { upgrade } from '../../lib/passes/upgrade';
import { ConformanceArchive, DISPUTED, dataSets, modelBytes } from '../conformance-archive';
import { describeWithData } from '../data';
import { evaluateGraph } from './evaluate-graph';

describeWithData('ONNX conformance tests', () => {
  const archive = new ConformanceArchive();
  let ran = 0;

  afterAll(() => {
    archive.close();
    expect(ran).toBeGreaterThan(400);
  });

  for (const entry of archive.tests) {
    const { name } = entry;
    const path = archive.path(entry);
    const loaded = load(path);
    if (typeof loaded === 'string') test.skip(`${name}: ${loaded}`, () => {});
    else if (name in DISPUTED)
      test(`${name} (disputed: ${DISPUTED[name]})`, () => {
        expect(() => runModel(loaded, path)).toThrow();
      });
    else
      test(name, () => {
        runModel(loaded, path);
        ran++;
      });
  }
  if (archive.tests.length === 0) test('the tests of the archive', () => {});
});

/** The model of a test in the dialect with its shapes, or why it cannot be run. */
function load(folder: string): PassResult | string {
  let graph: Graph;
  try {
    graph = readModel(modelBytes(folder));
  } catch (error) {
    return `unreadable (${(error as { code?: string }).code})`;
  }
  const upgraded = upgrade(graph);
  const unknown = upgraded.diagnostics.find(({ kind }) => kind === 'unknown-operator');
  if (unknown) return `${/operator (\S+)/.exec(unknown.message)![1]} is not known`;
  if (upgraded.graph.nodes.some((node) => !findOperator(node.domain, node.op)?.evaluate)) return 'no evaluation';
  const inferred = inferShapes(upgraded.graph);
  const beyond = inferred.diagnostics.find(({ kind }) => kind === 'unsupported-attribute' || kind === 'unknown-type');
  if (beyond) return beyond.message;
  return { graph: inferred.graph, diagnostics: [...upgraded.diagnostics, ...inferred.diagnostics] };
}

/** Runs every data set of a test. */
function runModel({ graph, diagnostics }: PassResult, folder: string): void {
  expect(diagnostics).toEqual([]);
  for (const set of dataSets(folder)) runDataSet(graph, set);
}

function runDataSet(
  graph: Graph,
  { inputs, outputs }: { inputs: readonly Tensor[]; outputs: readonly Tensor[] },
): void {
  const feeds = new Map(graph.inputs.map((name, index) => [name, toDense(inputs[index], 'float32')]));
  const values = evaluateGraph(graph, feeds, 'float32');
  graph.outputs.forEach((name, index) => {
    const expected = outputs[index];
    const actual = values.get(name)!;
    expectClose(actual, toDense(expected, 'float32'));
    const inferred = graph.values.get(name);
    expect(inferred?.type).toBe(expected.type);
    inferred?.shape?.forEach((dim, axis) => {
      if (typeof dim === 'number') expect(dim).toBe(expected.dims[axis]);
    });
  });
}

/** Half-precision outputs carry 11 (float16) or 8 (bfloat16) significant bits. */
const TOLERANCE: Readonly<Record<string, number>> = { float16: 2e-3, bfloat16: 1e-2 };

function expectClose(actual: Dense, expected: Dense): void {
  expect({ type: actual.type, dims: actual.dims }).toEqual({ type: expected.type, dims: expected.dims });
  const tolerance = TOLERANCE[expected.type] ?? 1e-4;
  const wrong = Array.from(actual.data, (value: number, i) => ({ i, value, expected: expected.data[i] })).filter(
    ({ value, expected: other }) =>
      !Object.is(value, other) && !(Math.abs(value - other) <= tolerance * (1 + Math.abs(other))),
  );
  expect(wrong).toEqual([]);
}
