import type { Tensor } from '../../lib/ir/tensor';
import { fromDense, toDense } from '../../lib/ops/dense';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { upgrade } from '../../lib/passes/upgrade';
import { openReference } from '../../lib/reference/session';
import { CONVOLUTIONS } from './cases/convolutions';
import { MATRICES } from './cases/matrices';
import { NORMALIZATIONS } from './cases/normalizations';
import { POOLS } from './cases/pools';
import { QUANTIZERS } from './cases/quantizers';
import { RECURRENT } from './cases/recurrent';
import { evaluateGraph } from './evaluate-graph';
import { graphOf, type OpCase } from './op-case';

const CASES = [...CONVOLUTIONS, ...POOLS, ...MATRICES, ...NORMALIZATIONS, ...RECURRENT, ...QUANTIZERS];

test.each(CASES.map((each) => [each.op, each.title, each] as const))('%s: %s', async (_op, _title, opCase) => {
  await expectLikeReference(opCase);
});

/** Upgrade, shape inference and reference evaluation of one case against onnxruntime's result for the original node. */
async function expectLikeReference(opCase: OpCase): Promise<void> {
  const graph = graphOf(opCase);
  const feeds = new Map(opCase.inputs.flatMap((tensor, i) => (tensor ? [[`in${i}`, tensor] as const] : [])));
  await using session = await openReference(graph, { optimization: 'disabled' });
  const expected = await session.run(feeds);

  const upgraded = upgrade(graph);
  const inferred = inferShapes(upgraded.graph);
  expect([...upgraded.diagnostics, ...inferred.diagnostics]).toEqual([]);
  const dense = new Map([...feeds].map(([name, tensor]) => [name, toDense(tensor, 'float32')]));
  const values = evaluateGraph(inferred.graph, dense, 'float32');
  for (const [name, tensor] of expected) {
    const actual = fromDense(values.get(name)!);
    expect({ name, type: actual.type, dims: actual.dims }).toEqual({ name, type: tensor.type, dims: tensor.dims });
    expect(inferred.graph.values.get(name)).toEqual({ type: tensor.type, shape: tensor.dims });
    expectClose(actual, tensor, opCase.tolerance ?? 1e-5);
  }
}

function expectClose(actual: Tensor, expected: Tensor, tolerance: number): void {
  const [a, b] = [actual, expected].map((tensor) => Array.from(toDense(tensor, 'float32').data));
  const size = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const wrong = a
    .map((value, i) => ({ i, actual: value, expected: b[i] }))
    .filter(
      (entry) =>
        !(Math.abs(entry.actual - entry.expected) <= tolerance * size) && !Object.is(entry.actual, entry.expected),
    );
  expect(wrong).toEqual([]);
}
