import { GraphBuilder } from '../../lib/ir/builder';
import { subgraphsOf } from '../../lib/ir/edit';
import type { Graph } from '../../lib/ir/graph';
import { print } from '../../lib/ir/print';
import { tensorFrom } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { float16PortsOf, narrowPorts } from '../../lib/passes/narrow-ports';
import { prepare } from '../../lib/passes/pipeline';

type Draw = (b: GraphBuilder, x: string) => void;

const weights = (b: GraphBuilder) => b.initializer(tensorFrom('float32', [4, 4], Array(16).fill(0.5)), 'w');
const relu = (b: GraphBuilder, x: string, name: string) => b.node('Relu', [x], {}, { outputs: [name] });

/** What a graph of the inputs x and z float32[2, 4] and n int64[2] draws, and the Casts that all of its ports ask for. */
const GRAPHS: readonly (readonly [what: string, casts: number, draw: Draw])[] = [
  ['a chain', 2, (b, x) => b.output(relu(b, b.node('MatMul', [x, weights(b)]), 'y'))],
  [
    'an output that other nodes read',
    3,
    (b, x) => {
      const h = b.node('MatMul', [x, weights(b)], {}, { outputs: ['h'] });
      b.output(h);
      b.output(relu(b, b.node('Neg', [h]), 'y'));
    },
  ],
  [
    'a node with two outputs',
    3,
    (b, x) => {
      for (const part of b.nodes('Split', [x], 2, { axis: 1, num_outputs: 2 })) b.output(part);
    },
  ],
  [
    'an output that is an input as well',
    2,
    (b, x) => {
      b.output(x);
      b.output(relu(b, x, 'y'));
    },
  ],
  [
    'an output that is a constant',
    2,
    (b, x) => {
      b.output(b.initializer(tensorFrom('float32', [2], [1, 2]), 'constant'));
      b.output(relu(b, b.node('Abs', [x]), 'y'));
      b.output(b.node('Shape', [x], {}, { outputs: ['shape'] }));
    },
  ],
  [
    'names that are taken',
    2,
    (b, x) => b.output(relu(b, b.node('Abs', [x], {}, { outputs: ['x_float32'], name: 'y_cast' }), 'y')),
  ],
];

const graphOf = (draw: Draw): Graph => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2, 4]);
  b.input('z', 'float32', [2, 4]);
  b.input('n', 'int64', [2]);
  draw(b, x);
  return prepare(b.build(), { verify: true }).graph;
};
const typesOf = ({ inputs, outputs, values }: Graph) =>
  [...inputs, ...outputs].map((name) => [name, values.get(name)?.type]);

test.each(GRAPHS)('%s: every float port is float16, the rest as it was, also from the file', (_, casts, draw) => {
  const graph = graphOf(draw);
  const all = new Set([...graph.inputs, ...graph.outputs, 'no port']);
  const narrowed = narrowPorts(graph, all);
  expect(verify(narrowed)).toEqual([]);
  expect(narrowed.nodes.filter(({ op }) => op === 'Cast')).toHaveLength(casts);
  const expected = typesOf(graph).map(([name, type]) => [name, type === 'float32' ? 'float16' : type]);
  expect(typesOf(narrowed)).toEqual(expected);
  const read = readModel(writeModel(narrowed));
  expect(typesOf(read)).toEqual(expected);
  expect([...float16PortsOf(read)].sort()).toEqual(
    [...new Set(expected.filter(([, type]) => type === 'float16').map(([name]) => name))].sort(),
  );
  // Opening the file widens it again: nothing of it is left, however often.
  expect(print(prepare(read, { verify: true }).graph)).toBe(print(graph));
});

test('some ports; a graph without any comes back as it is', () => {
  const graph = graphOf((b, x) => b.output(relu(b, b.node('Abs', [x]), 'y')));
  expect(typesOf(narrowPorts(graph, new Set(['y'])))).toEqual([
    ['x', 'float32'],
    ['z', 'float32'],
    ['n', 'int64'],
    ['y', 'float16'],
  ]);
  expect(narrowPorts(graph, new Set())).toBe(graph);
  expect(narrowPorts(graph, new Set(['n', 'w', 'nothing']))).toBe(graph);
});

test('branches that read an input, and make an output, read the float32 form', () => {
  const b = new GraphBuilder();
  const [x, go] = [b.input('x', 'float32', [2]), b.input('go', 'bool', [])];
  const h = b.node('Abs', [x], {}, { outputs: ['h'] });
  const branch = (op: string, reads: string) => {
    const inner = new GraphBuilder().build();
    const name = `${op}_${reads}`;
    const node = { name, op, domain: '', inputs: [reads], outputs: [name], attributes: new Map() };
    return { kind: 'graph', value: { ...inner, nodes: [node], outputs: [name] } } as const;
  };
  b.output(h);
  b.output(b.node('If', [go], { then_branch: branch('Neg', x), else_branch: branch('Exp', h) }, { outputs: ['y'] }));
  const { graph } = prepare(b.build(), { verify: true });
  const narrowed = narrowPorts(graph, new Set(['x', 'h', 'y']));
  expect(verify(narrowed)).toEqual([]);
  expect(typesOf(narrowed).map(([, type]) => type)).toEqual(['float16', 'bool', 'float16', 'float16']);
  const reads = narrowed.nodes.flatMap(subgraphsOf).flatMap(({ nodes }) => nodes.flatMap(({ inputs }) => inputs));
  expect(reads).toEqual(['x_float32', 'h_float32']);
  expect(print(prepare(readModel(writeModel(narrowed)), { verify: true }).graph)).toBe(print(graph));
});
