import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, toNumbers } from '../../lib/ir/tensor';
import { findOperator, OPERATORS } from '../../lib/ops';
import { fromDense, toDense } from '../../lib/ops/dense';
import type { Dense, Precision } from '../../lib/ops/operator';
import { Inference } from '../../lib/passes/inference';
import { upgrade } from '../../lib/passes/upgrade';
import { openReference } from '../../lib/reference/session';
import { CASES as ELEMENTWISE } from './cases/elementwise';
import { PLACES } from './cases/places';
import { CASES as REDUCTIONS } from './cases/reduction';
import { CASES as RESIZING } from './cases/resize';
import { CASES as SHAPES } from './cases/shape';
import { CASES as UPGRADES } from './cases/upgrades';
import { evaluateGraph } from './evaluate-graph';
import { graphOf, type OpCase } from './op-case';

const CASES = [...ELEMENTWISE, ...SHAPES, ...REDUCTIONS, ...RESIZING, ...UPGRADES];
const namesOf = (cases: readonly OpCase[]) => cases.map((item) => [`${item.op}: ${item.title}`, item] as const);
const known = namesOf(CASES);
/** With those whose shapes data decide. */
const named = namesOf([...CASES, ...PLACES]);

test('every operator that can be evaluated has a case', () => {
  const folder = join(__dirname, 'cases');
  const all = readdirSync(folder).flatMap((file) =>
    (Object.values(require(join(folder, file))) as (readonly OpCase[])[]).flat(),
  );
  const tested = new Set(all.map(({ op }) => op));
  const missing = OPERATORS.filter(({ op, evaluate }) => evaluate && !tested.has(op)).map(({ op }) => op);
  console.log(`${all.length} cases of ${tested.size} operators`);
  expect(missing).toEqual([]);
});

test.each(named)('%s', async (_, item) => {
  const original = graphOf(item);
  await using session = await openReference(original, { optimization: 'disabled' });
  const expected = await session.run(feedsOf(item));
  const { graph, diagnostics } = upgrade(original);
  expect(diagnostics).toEqual([]);
  const actual = evaluate(graph, item, 'float32');
  const wide = evaluate(graph, item, 'float64');
  for (const [name, tensor] of expected) {
    expectClose(actual.get(name)!, tensor, item.tolerance ?? 1e-5);
    expectClose(wide.get(name)!, fromDense(actual.get(name)!), 1e-4);
  }
});

test.each(known)('shape of %s', (_, item) => {
  const { graph } = upgrade(constantGraphOf(item));
  const inference = new Inference(graph);
  expect(graph.nodes.flatMap((node) => inference.visit(node))).toEqual([]);
  const values = evaluateGraph(graph, new Map(), 'float32');
  for (const name of graph.outputs) {
    const { type, dims, data } = values.get(name)!;
    expect(inference.typeOf(name)).toEqual({ type, shape: dims });
    // Elements that inference claims to know must be the true ones.
    const claimed = inference.partialOf(name);
    claimed?.forEach((element, index) => {
      expect([element, undefined]).toContain(data[index]);
    });
    if (claimed) expect(claimed).toHaveLength(data.length);
  }
});

test.each(named)('%s does not depend on what inference cannot know', (_, item) => {
  // With every input at run time, inference may know less, but nothing wrong.
  const { graph } = upgrade(graphOf(item));
  const inference = new Inference(graph);
  for (const node of graph.nodes) inference.visit(node);
  const values = evaluateGraph(graph, denseFeeds(item, 'float32'), 'float32');
  for (const name of graph.outputs) {
    const { type, dims } = values.get(name)!;
    const inferred = inference.typeOf(name);
    expect(inferred?.type).toBe(type);
    if (!inferred?.shape) continue;
    expect(inferred.shape).toHaveLength(dims.length);
    inferred.shape.forEach((dim, axis) => {
      if (typeof dim === 'number') expect(dim).toBe(dims[axis]);
    });
  }
});

function feedsOf(item: OpCase): Map<string, Tensor> {
  return new Map(item.inputs.flatMap((tensor, i) => (tensor ? [[`in${i}`, tensor] as const] : [])));
}

function denseFeeds(item: OpCase, precision: Precision): Map<string, Dense> {
  return new Map([...feedsOf(item)].map(([name, tensor]) => [name, toDense(tensor, precision)]));
}

function evaluate(graph: Graph, item: OpCase, precision: Precision): ReadonlyMap<string, Dense> {
  return evaluateGraph(graph, denseFeeds(item, precision), precision);
}

/** The case with all its inputs as initializers. */
function constantGraphOf({ op, inputs, attributes, outputs = 1, opset = 21 }: OpCase): Graph {
  const builder = new GraphBuilder({ opset });
  const names = inputs.map((tensor, index) => (tensor ? builder.initializer(tensor, `in${index}`) : ''));
  for (const name of builder.nodes(op, names, outputs, attributes)) builder.output(name);
  return builder.build();
}

function expectClose(actual: Dense, expected: Tensor, tolerance: number): void {
  expect({ type: actual.type, dims: actual.dims }).toEqual({ type: expected.type, dims: expected.dims });
  const reference = expected.type === 'float16' ? Array.from(toDense(expected, 'float32').data) : toNumbers(expected);
  const wrong = Array.from(actual.data, (value: number, i) => ({ i, value, expected: reference[i] })).filter(
    ({ value, expected: other }) =>
      !Object.is(value, other) && !(Math.abs(value - other) <= tolerance * (1 + Math.abs(other))),
  );
  expect(wrong).toEqual([]);
}

test('the table finds every operator under its name, and none under another', () => {
  for (const operator of OPERATORS) expect(findOperator(operator.domain, operator.op)).toBe(operator);
  expect(findOperator('', 'NoSuchOperator')).toBeUndefined();
});
