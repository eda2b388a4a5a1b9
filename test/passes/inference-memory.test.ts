import { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { inferShapes } from '../../lib/passes/infer-shapes';
import type { InferenceMemory } from '../../lib/passes/inference';
import { applyRules } from '../../lib/passes/rewrite';
import { RULES } from '../../lib/passes/rules';
import { APPLIES } from './rule-cases/applies';
import { ruleGraph } from './rule-cases/build';

const ints = (...values: number[]) => tensorFrom('int64', [values.length], values);

/** x [3, 4] to an extent that a constant tells, and nodes that follow; indices of what is not zero, whose number data tells. */
function graphOf(): Graph {
  const b = new GraphBuilder();
  const target = b.initializer(ints(4, 3), 'target');
  const reshaped = b.node('Reshape', [b.input('x', 'float32', [3, 4]), target], {}, { outputs: ['reshaped'] });
  const extents = b.node('Shape', [b.node('Neg', [reshaped])], {}, { outputs: ['extents'] });
  b.output(
    b.node('Expand', [b.initializer(tensorFrom('float32', [1], [1]), 'one'), extents], {}, { outputs: ['filled'] }),
  );
  b.output(
    b.node(
      'Range',
      ['from', b.input('to', 'int64', []), 'step'].map((name, at) =>
        at === 1 ? name : b.initializer(tensorFrom('int64', [], [at ? 1 : 0]), name),
      ),
      {},
      { outputs: ['range'] },
    ),
  );
  return b.build();
}

const CHANGES: readonly (readonly [what: string, change: (graph: Graph) => Graph, shapes: object])[] = [
  ['nothing', (graph) => graph, { filled: [4, 3] }],
  [
    'a constant',
    (graph) => ({ ...graph, initializers: new Map([...graph.initializers, ['target', ints(6, 2)]]) }),
    { reshaped: [6, 2], filled: [6, 2] },
  ],
  [
    'an input',
    (graph) => ({
      ...graph,
      initializers: new Map([...graph.initializers, ['target', ints(0, -1)]]),
      values: new Map([...graph.values, ['x', { type: 'float32', shape: [5, 2, 2] }]]),
    }),
    { reshaped: [5, 4], filled: [5, 4] },
  ],
  [
    'what is declared',
    (graph) => ({ ...graph, values: new Map([...graph.values, ['range', { type: 'int64', shape: [7] }]]) }),
    { range: [7] },
  ],
  [
    'a node',
    (graph) => ({
      ...graph,
      nodes: graph.nodes.map((node) =>
        node.op === 'Shape' ? { ...node, attributes: attributes({ start: 1 }) } : node,
      ),
    }),
    { filled: [3] },
  ],
];

test.each(CHANGES)('with a memory, %s changed is found as without', (_, change, shapes) => {
  const memory: InferenceMemory = new WeakMap();
  const before = graphOf();
  inferShapes(before, memory);
  const after = change(before);
  const found = inferShapes(after, memory);
  expect(found).toEqual(inferShapes(after));
  for (const [name, shape] of Object.entries(shapes)) expect(found.graph.values.get(name)!.shape).toEqual(shape);
});

test('a memory makes no difference to what rules leave', () => {
  for (const [name, build] of APPLIES) {
    const memory: InferenceMemory = new WeakMap();
    const first = inferShapes(ruleGraph(build), memory).graph;
    const rules = Object.values(RULES).flat();
    const rewritten = applyRules(
      first,
      rules.filter((rule) => rule.name === name),
    );
    expect(inferShapes(rewritten, memory)).toEqual(inferShapes(rewritten));
  }
});
