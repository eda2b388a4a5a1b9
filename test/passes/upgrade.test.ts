import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { prepare } from '../../lib/passes/pipeline';
import { upgrade } from '../../lib/passes/upgrade';
import { openReference } from '../../lib/reference/session';

test('brings versions and nodes to the dialect', () => {
  const builder = new GraphBuilder({ opset: 9 });
  const x = builder.input('x', 'float32', [3, 4]);
  builder.output(builder.node('Slice', [x], { starts: [1], ends: [2] }, { outputs: ['y'] }));
  const { graph, diagnostics } = upgrade({ ...builder.build(), irVersion: 3 });
  expect(diagnostics).toEqual([]);
  expect(verify(graph)).toEqual([]);
  expect(graph.opsets.get('')).toBe(21);
  expect(graph.irVersion).toBe(10);
  const [node] = graph.nodes;
  expect([node.inputs.length, node.outputs, node.attributes.size]).toEqual([3, ['y'], 0]);
});

test('leaves an unknown operator as it is, with a warning that names it', () => {
  const builder = new GraphBuilder({ opset: 9 });
  const x = builder.input('x', 'float32', [3]);
  builder.output(builder.node('Frobnicate', [x], {}, { outputs: ['y'], domain: 'com.acme', name: 'odd' }));
  const before = builder.build();
  const { graph, diagnostics } = upgrade(before);
  expect(graph.nodes).toEqual(before.nodes);
  expect(diagnostics).toEqual([
    expect.objectContaining({ severity: 'warning', kind: 'unknown-operator', where: 'odd' }),
  ]);
  expect(diagnostics[0].message).toContain('com.acme:Frobnicate');
});

test.each([
  ['Attention', 24, 24],
  ['Relu', 24, 21],
  ['Attention', 20, 21],
])('a graph of %s from opset %i is written with opset %i', (op, from, to) => {
  const builder = new GraphBuilder({ opset: from });
  builder.output(builder.node(op, [builder.input('x', 'float32', [3])]));
  expect(upgrade(builder.build()).graph.opsets.get('')).toBe(to);
});

test('reports a form without counterpart and keeps the node', () => {
  const builder = new GraphBuilder({ opset: 8 });
  const x = builder.input('x', 'float32', [1, 2, 3]);
  const parameters = ['s', 'b', 'm', 'v'].map((name) => builder.input(name, 'float32', [2]));
  builder.output(builder.node('BatchNormalization', [x, ...parameters], { spatial: 0 }, { name: 'norm' }));
  const before = builder.build();
  const { graph, diagnostics } = upgrade(before);
  expect(diagnostics).toEqual([expect.objectContaining({ severity: 'error', where: 'norm' })]);
  expect(graph.nodes).toEqual(before.nodes);
});

test('upgrades subgraphs too', () => {
  const body = new GraphBuilder({ opset: 11 });
  const inner = body.initializer({ type: 'float32', dims: [1, 1], bytes: new Uint8Array(4) }, 'inner');
  body.output(body.node('Squeeze', [inner], { axes: [0] }, { outputs: ['squeezed'] }));
  const builder = new GraphBuilder({ opset: 11 });
  const branch = { kind: 'graph', value: body.build() } as const;
  const c = builder.input('c', 'bool', []);
  builder.output(builder.node('If', [c], { then_branch: branch, else_branch: branch }, { outputs: ['y'] }));
  const { graph } = upgrade(builder.build());
  const upgraded = graph.nodes[0].attributes.get('then_branch');
  expect(upgraded?.kind === 'graph' && upgraded.value.nodes[0].inputs).toHaveLength(2);
});

test.each([
  [1, 1, 1.5, 2],
  [1, 1, 0.6, 0.5],
  [1, 1, 1.7, 0.6],
])(
  'Resize-10 by scales that are computed (%f, %f, %f, %f) takes the elements that the runtime takes',
  async (...scales) => {
    const builder = new GraphBuilder({ opset: 10 });
    const half = builder.initializer(
      tensorFrom(
        'float32',
        [4],
        scales.map((scale) => scale / 2),
      ),
      'half',
    );
    const computed = builder.node('Add', [half, half]);
    builder.output(
      builder.node('Resize', [builder.input('x', 'float32', [1, 1, 7, 10]), computed]),
      'float32',
      undefined,
    );
    const graph = builder.build();
    const prepared = prepare(graph).graph;
    // Only what both shrinks and grows needs two.
    expect(prepared.nodes.length).toBe(scales.some((scale) => scale > 1) && scales.some((scale) => scale < 1) ? 2 : 1);
    const feeds = new Map([
      [
        'x',
        tensorFrom(
          'float32',
          [1, 1, 7, 10],
          Array.from({ length: 70 }, (_, k) => k),
        ),
      ],
    ]);
    await using before = await openReference(graph, { optimization: 'disabled' });
    await using after = await openReference(prepared, { optimization: 'disabled' });
    const [expected, found] = [await before.run(feeds), await after.run(feeds)].map(
      (outputs) => [...outputs.values()][0],
    );
    expect([found.dims, toNumbers(found)]).toEqual([expected.dims, toNumbers(expected)]);
  },
);
