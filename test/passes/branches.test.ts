import { measureMacs } from '../../lib/compress/count-macs';
import { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import type { ModelArtifact } from '../../lib/jobs/artifact';
import { countParameters } from '../../lib/jobs/count-parameters';
import { inspect } from '../../lib/jobs/inspect';
import { OPERATORS } from '../../lib/ops';
import { MAC_OPERATORS } from '../../lib/ops/mac-operators';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { openReference } from '../../lib/reference/session';

const floats = (...dims: number[]): Tensor =>
  tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, (_, k) => Math.sin(k)),
  );
const ints = (...values: number[]) => tensorFrom('int64', [values.length], values);

/** A branch: a product of the outer `x` with weights of its own. */
function branch(columns: number): { kind: 'graph'; value: Graph } {
  const b = new GraphBuilder();
  const weights = b.initializer(floats(4, columns), 'w');
  const product = b.node('MatMul', ['x', weights], {}, { outputs: ['product'] });
  b.output(b.node('Relu', [product], {}, { outputs: ['made'] }));
  return { kind: 'graph', value: b.build() };
}

/** If on the number of rows of x (or on an input), twice, so that the branches' names meet. */
function graphOf(rows: number, condition: 'rows' | 'input'): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [rows, 4]);
  const choose =
    condition === 'input'
      ? b.input('c', 'bool', [])
      : b.node('Equal', [
          b.node('Gather', [b.node('Shape', [x]), b.initializer(tensorFrom('int64', [], [0]), 'first')]),
          b.initializer(tensorFrom('int64', [], [2]), 'two'),
        ]);
  for (const columns of [3, 5]) {
    const attributes = { then_branch: branch(columns), else_branch: branch(columns + 4) };
    b.output(b.node('If', [choose], attributes), 'float32', undefined);
  }
  return b.build();
}

test.each([2, 3])('an If on a known extent (%i rows) becomes the branch that runs', async (rows) => {
  const graph = graphOf(rows, 'rows');
  const prepared = prepare(graph, { verify: true }).graph;
  expect(verify(prepared)).toEqual([]);
  expect(prepared.nodes.map(({ op }) => op)).not.toContain('If');
  await using original = await openReference(graph, { optimization: 'disabled' });
  await using inlined = await openReference(prepared, { optimization: 'disabled' });
  const feeds = new Map([['x', floats(rows, 4)]]);
  const [expected, found] = [await original.run(feeds), await inlined.run(feeds)];
  for (const name of graph.outputs)
    expect([found.get(name)!.dims, toNumbers(found.get(name)!)]).toEqual([
      expected.get(name)!.dims,
      toNumbers(expected.get(name)!),
    ]);
  expect(measureMacs(prepared)).toEqual({ macs: rows * 4 * (rows === 2 ? 8 : 16), unknown: [] });
});

test('of an If on data the dearer branch counts; all weights are parameters', () => {
  const graph = graphOf(3, 'input');
  const prepared = prepare(graph).graph;
  expect(prepared.nodes.filter(({ op }) => op === 'If')).toHaveLength(2);
  expect(measureMacs(prepared)).toEqual({ macs: 3 * 4 * 16, unknown: [] });
  expect(countParameters(graph)).toBe(4 * (3 + 7 + 5 + 9));
  // Both branches have the same rank: what they agree on is known.
  expect(inferShapes(graph).graph.values.get(graph.outputs[0])).toMatchObject({
    type: 'float32',
    shape: [3, expect.any(String)],
  });
});

test.each<[string, Tensor | undefined, number | null]>([
  ['five rounds', tensorFrom('int64', [], [5]), 5 * 4 * 4],
  ['rounds that an input tells', undefined, null],
])('a Loop of %s', (_, limit, macs) => {
  const body = new GraphBuilder();
  const [, go, h] = [body.input('i', 'int64', []), body.input('go', 'bool', []), body.input('h', 'float32', [1, 4])];
  const kept = body.node('Identity', [go], {}, { outputs: ['kept'] });
  const next = body.node('MatMul', [h, body.initializer(floats(4, 4), 'w')], {}, { outputs: ['next'] });
  for (const output of [kept, next]) body.output(output);
  const b = new GraphBuilder();
  const rounds = limit ? b.initializer(limit, 'limit') : b.input('limit', 'int64', []);
  const value = { kind: 'graph', value: body.build() } as const;
  b.output(b.node('Loop', [rounds, '', b.input('x', 'float32', [1, 4])], { body: value }, { name: 'loop' }));
  const graph = b.build();
  const artifact: ModelArtifact = {
    kind: 'model',
    path: 'loop.onnx',
    bytes: new Uint8Array(0),
    hash: '',
    graph,
    float16Ports: new Set(),
    quantized: false,
    derived: false,
    notes: [],
  };
  expect(inspect(artifact)).toMatchObject({
    parameters: 16,
    macs,
    macsUnknown: macs === null ? 'the extents of loop depend on data' : null,
  });
});

test('a Scan counts its body for every step, and its outputs have their shapes', () => {
  const body = new GraphBuilder();
  const row = body.input('row', 'float32', [6]);
  const flat = body.node('Unsqueeze', [row, body.initializer(ints(0), 'axes')]);
  body.output(body.node('MatMul', [flat, body.initializer(floats(6, 2), 'w')], {}, { outputs: ['made'] }));
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [7, 6]);
  const y = b.node('Scan', [x], { body: { kind: 'graph', value: body.build() }, num_scan_inputs: 1 });
  b.output(y);
  const { graph } = prepare(b.build());
  expect(graph.values.get(y)).toEqual({ type: 'float32', shape: [7, 1, 2] });
  expect(measureMacs(graph)).toEqual({ macs: 7 * 12, unknown: [] });
});

test('the table of operators that multiply and accumulate has all whose cost says so', () => {
  const value = { type: 'float32', shape: [2, 2, 2] } as const;
  const inputs = Array.from({ length: 8 }, () => value);
  const counting = OPERATORS.filter(({ op, domain, cost }) => {
    const node = {
      name: 'n',
      op,
      domain,
      inputs: ['a', 'b', 'c'],
      outputs: ['y'],
      attributes: attributes({ kernel_shape: [1] }),
    };
    return (cost?.(inputs, [value, value], node).macs ?? 0) > 0;
  });
  const table = OPERATORS.filter(({ op, cost }) => cost && MAC_OPERATORS.has(op));
  expect(counting.map(({ op }) => op).sort()).toEqual(table.map(({ op }) => op).sort());
  expect(counting.length).toBeGreaterThanOrEqual(6);
});
