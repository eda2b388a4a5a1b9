import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { readModel } from '../../lib/onnx/read-model';
import { parseTensor } from '../../lib/onnx/read-tensor';
import { findOperator } from '../../lib/ops';
import { toDense } from '../../lib/ops/dense';
import type { Dense } from '../../lib/ops/operator';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { upgrade } from '../../lib/passes/upgrade';
import { dataPath, describeWithData } from '../data';
import { evaluateGraph } from './evaluate-graph';

interface Entry {
  readonly suite: string;
  readonly name: string;
}

/** Tests whose expected output is at odds with the operator's text. They must go on failing, so that the list stays true. */
const DISPUTED: Readonly<Record<string, string>> = {
  test_qlinearmatmul_3D_int8_float32: 'expects sums to wrap around; the text says saturate, and onnxruntime does',
  test_qlinearmatmul_2D_int8_float16: 'expects sums to wrap around; the text says saturate, and onnxruntime does',
};

describeWithData('ONNX conformance tests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hone-conformance-'));
  const entries = JSON.parse(readFileSync(dataPath('conformance', 'manifest.json'), 'utf8')) as Entry[];
  const counts = new Map<string, number>();
  const count = (reason: string) => counts.set(reason, (counts.get(reason) ?? 0) + 1);

  beforeAll(() => {
    execFileSync('tar', ['-xJf', dataPath('conformance', 'onnx-v1.21.0-tests.tar.xz'), '-C', folder]);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
    const list = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, n]) => `  ${n} ${reason}`);
    console.log(`${entries.length} conformance tests:\n${list.join('\n')}`);
    expect(counts.get('run') ?? 0).toBeGreaterThan(400);
  });

  test.each(entries.map((entry) => [entry.name, entry] as const))('%s', (name, { suite }) => {
    const test = join(folder, suite, name);
    if (name in DISPUTED) {
      count(`disputed: ${DISPUTED[name]}`);
      expect(() => runModel(test)).toThrow();
    } else count(runModel(test) ?? 'run');
  });
});

/** Runs every data set of a test; returns why it cannot be run, or undefined when it passed. */
function runModel(folder: string): string | undefined {
  let graph: Graph;
  try {
    graph = readModel(readFileSync(join(folder, 'model.onnx')));
  } catch (error) {
    return `skipped: unreadable (${(error as { code?: string }).code})`;
  }
  const upgraded = upgrade(graph);
  const unknown = upgraded.diagnostics.find(({ kind }) => kind === 'unknown-operator');
  if (unknown) return `skipped: ${/operator (\S+)/.exec(unknown.message)![1]} is not known`;
  expect(upgraded.diagnostics).toEqual([]);
  if (upgraded.graph.nodes.some((node) => !findOperator(node.domain, node.op)?.evaluate))
    return 'skipped: no evaluation';
  const inferred = inferShapes(upgraded.graph);
  const beyond = inferred.diagnostics.find(({ kind }) => kind === 'unsupported-attribute' || kind === 'unknown-type');
  if (beyond) return `skipped: ${beyond.message}`;
  expect(inferred.diagnostics).toEqual([]);
  for (const set of readdirSync(folder).filter((entry) => entry.startsWith('test_data_set')))
    runDataSet(inferred.graph, join(folder, set));
  return undefined;
}

function runDataSet(graph: Graph, folder: string): void {
  const read = (kind: string, index: number): Tensor =>
    parseTensor(readFileSync(join(folder, `${kind}_${index}.pb`))).tensor;
  const feeds = new Map(graph.inputs.map((name, index) => [name, toDense(read('input', index), 'float32')]));
  const values = evaluateGraph(graph, feeds, 'float32');
  graph.outputs.forEach((name, index) => {
    const expected = read('output', index);
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
