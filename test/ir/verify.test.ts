import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph, Node } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { verified, verify } from '../../lib/ir/verify';

const node = (name: string, op: string, inputs: string[], outputs: string[], rest: Partial<Node> = {}): Node => ({
  name,
  op,
  domain: '',
  inputs,
  outputs,
  attributes: new Map(),
  ...rest,
});

/** x -> Add(w) -> a -> Relu -> y */
function sound(): Graph {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', ['N', 2]);
  builder.initializer(tensorFrom('float32', [2], [1, 2]), 'w');
  builder.node('Add', ['x', 'w'], {}, { outputs: ['a'] });
  builder.node('Relu', ['a'], {}, { outputs: ['y'] });
  builder.output('y', 'float32', ['N', 2]);
  return builder.build();
}

const branch = (nodes: Node[], outputs: string[]): Graph => ({
  ...sound(),
  inputs: [],
  initializers: new Map(),
  values: new Map(),
  nodes,
  outputs,
});

const withBranch = (graph: Graph): Graph => {
  const base = sound();
  const attributes = new Map([['body', { kind: 'graph', value: graph } as const]]);
  return { ...base, nodes: [base.nodes[0], node('if', 'If', ['a'], ['y'], { attributes })] };
};

const [add, relu] = sound().nodes;
const BROKEN: Record<string, [Graph, kind: string, message: RegExp]> = {
  'two nodes of one name': [{ ...sound(), nodes: [add, { ...relu, name: 'a' }] }, 'duplicate-name', /another node/],
  'a node without name': [{ ...sound(), nodes: [add, { ...relu, name: '' }] }, 'empty-name', /no name/],
  'a node without operator': [{ ...sound(), nodes: [add, { ...relu, op: '' }] }, 'empty-name', /no operator/],
  'a value with two makers': [
    { ...sound(), nodes: [add, relu, node('again', 'Neg', ['x'], ['a'])] },
    'defined-twice',
    /'a' has more than one maker/,
  ],
  'a node that makes an input': [
    { ...sound(), nodes: [add, relu, node('again', 'Neg', ['a'], ['x'])] },
    'defined-twice',
    /'x'/,
  ],
  'an undefined input': [{ ...sound(), nodes: [add, { ...relu, inputs: ['q'] }] }, 'undefined-value', /input 'q'/],
  'an undefined output': [{ ...sound(), outputs: ['q'] }, 'undefined-value', /nothing makes/],
  'a wrong order': [{ ...sound(), nodes: [relu, add] }, 'not-sorted', /stands before/],
  'a cycle': [
    { ...sound(), nodes: [{ ...add, inputs: ['x', 'y'] }, relu] },
    'graph-cycle',
    /the nodes y -> a form a cycle|the nodes a -> y form a cycle/,
  ],
  'a short initializer': [
    { ...sound(), initializers: new Map([['w', { type: 'float32', dims: [2], bytes: new Uint8Array(7) } as const]]) },
    'wrong-length',
    /expected 8 bytes for float32 \[2\], found 7/,
  ],
  'a negative extent': [
    { ...sound(), initializers: new Map([['w', { type: 'float32', dims: [-2], bytes: new Uint8Array(8) } as const]]) },
    'bad-shape',
    /\[-2\]/,
  ],
  'a broken string tensor': [
    { ...sound(), initializers: new Map([['w', { type: 'string', dims: [2], bytes: new Uint8Array(4) } as const]]) },
    'wrong-length',
    /2 strings/,
  ],
  'a fractional extent of a value': [
    { ...sound(), values: new Map([['x', { type: 'float32', shape: [1.5] } as const]]) },
    'bad-shape',
    /1.5/,
  ],
  'an input without type': [{ ...sound(), values: new Map() }, 'untyped-input', /no type/],
  'a domain without version': [{ ...sound(), nodes: [add, { ...relu, domain: 'com.acme' }] }, 'no-opset', /com\.acme/],
  'a subgraph that hides an outer value': [
    withBranch(branch([node('n', 'Neg', ['x'], ['a'])], ['a'])),
    'defined-twice',
    /hides one of the graph around/,
  ],
  'a subgraph that reads nothing known': [
    withBranch(branch([node('n', 'Neg', ['q'], ['b'])], ['b'])),
    'undefined-value',
    /'q'/,
  ],
  'a bad tensor attribute': [
    {
      ...sound(),
      nodes: [
        add,
        {
          ...relu,
          attributes: new Map([
            ['value', { kind: 'tensor', value: { type: 'int8', dims: [3], bytes: new Uint8Array(2) } } as const],
          ]),
        },
      ],
    },
    'wrong-length',
    /found 2/,
  ],
};

test('a sound graph has no diagnostics, with and without captures', () => {
  expect(verify(sound())).toEqual([]);
  expect(verify(withBranch(branch([node('n', 'Neg', ['x'], ['b'])], ['b'])))).toEqual([]);
  expect(verified(sound()).name).toBe('graph');
});

test.each(Object.entries(BROKEN))('%s is reported', (_, [graph, kind, message]) => {
  const found = verify(graph);
  expect(found).toContainEqual(
    expect.objectContaining({ severity: 'error', kind, message: expect.stringMatching(message) }),
  );
  expect(() => verified(graph)).toThrow(expect.objectContaining({ code: 'E_GRAPH_INVALID' }));
});

test('checking does not load lazy data', () => {
  const lazy = {
    type: 'float32',
    dims: [2],
    get bytes(): Uint8Array {
      throw new Error('loaded');
    },
  } as const;
  expect(verify({ ...sound(), initializers: new Map([['w', lazy]]) })).toEqual([]);
});

test('one run reports all problems', () => {
  const graph = {
    ...sound(),
    nodes: [
      { ...add, name: '' },
      { ...relu, inputs: ['q'] },
    ],
    outputs: ['y', 'z'],
  };
  expect(verify(graph).map((entry) => entry.kind)).toEqual(['empty-name', 'undefined-value', 'undefined-value']);
});
