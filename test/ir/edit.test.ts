import { GraphBuilder } from '../../lib/ir/builder';
import { capturesOf, nameMaker, patchGraph, removeDead, renameReads, sortNodes, usesOf } from '../../lib/ir/edit';
import type { Graph, Node } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';

/** x -> Relu -> Identity -> Neg -> y, and the Identity is also read by Abs -> z. */
function chain(): Graph {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [2]);
  builder.node('Relu', ['x'], {}, { outputs: ['r'] });
  builder.node('Identity', ['r'], {}, { outputs: ['i'] });
  builder.node('Neg', ['i'], {}, { outputs: ['y'] });
  builder.node('Abs', ['i'], {}, { outputs: ['z'] });
  builder.output('y');
  builder.output('z');
  return builder.build();
}

/** If node whose branches read `outer` of the graph around them. */
function withSubgraph(): Graph {
  const branch = new GraphBuilder({ name: 'branch' });
  const inner = branch.build();
  const body: Graph = {
    ...inner,
    nodes: [{ name: 'n', op: 'Neg', domain: '', inputs: ['outer'], outputs: ['b'], attributes: new Map() }],
    outputs: ['b'],
  };
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1]);
  builder.input('c', 'bool', []);
  builder.node('Identity', ['x'], {}, { outputs: ['outer'] });
  const graph = (value: Graph) => ({ kind: 'graph', value }) as const;
  builder.node('If', ['c'], { then_branch: graph(body), else_branch: graph(body) }, { outputs: ['y'] });
  builder.output('y');
  return builder.build();
}

const text = (nodes: readonly Node[]) => nodes.map((node) => `${node.op}(${node.inputs})=${node.outputs}`).join(' ');

test('usesOf tells producers, readers and outputs', () => {
  const graph = chain();
  const uses = usesOf(graph);
  expect(uses.producer('i')?.op).toBe('Identity');
  expect(uses.producer('x')).toBeUndefined();
  expect(uses.consumers('i').map((node) => node.op)).toEqual(['Neg', 'Abs']);
  expect(uses.onlyConsumer('r')?.op).toBe('Identity');
  expect(uses.onlyConsumer('i')).toBeUndefined();
  expect(uses.isOutput('y')).toBe(true);
});

test('reads inside subgraphs count for the node that carries them', () => {
  const graph = withSubgraph();
  expect(
    usesOf(graph)
      .consumers('outer')
      .map((node) => node.op),
  ).toEqual(['If']);
  expect(removeDead(graph).nodes).toHaveLength(2);
  const node = renameReads(graph.nodes[1], new Map([['outer', 'x']]));
  const branch = node.attributes.get('then_branch');
  expect(branch?.kind === 'graph' && [...capturesOf(branch.value)]).toEqual(['x']);
});

test('sortNodes keeps a right order, mends a wrong one, names a cycle', () => {
  const { nodes } = chain();
  expect(sortNodes(nodes)).toBe(nodes);
  expect(text(sortNodes([nodes[3], nodes[2], nodes[1], nodes[0]]))).toBe('Relu(x)=r Identity(r)=i Abs(i)=z Neg(i)=y');
  const loop = [{ ...nodes[0], inputs: ['y'] }, ...nodes.slice(1)];
  expect(() => sortNodes(loop)).toThrow(expect.objectContaining({ code: 'E_GRAPH_INVALID' }));
  expect(() => sortNodes(loop)).toThrow(/i -> y -> r form a cycle/);
});

test('sortNodes survives a chain deeper than the call stack', () => {
  const nodes: Node[] = Array.from({ length: 50000 }, (_, k) => ({
    name: `n${k}`,
    op: 'Neg',
    domain: '',
    inputs: [`v${k}`],
    outputs: [`v${k + 1}`],
    attributes: new Map(),
  }));
  const sorted = sortNodes([...nodes].reverse());
  expect(sorted[0].name).toBe('n0');
  expect(sorted).toHaveLength(50000);
});

test('patchGraph redirects readers and drops what is dead', () => {
  const graph = chain();
  const patched = patchGraph(graph, { redirect: new Map([['i', 'r']]) });
  expect(text(patched.nodes)).toBe('Relu(x)=r Neg(r)=y Abs(r)=z');
});

test('patchGraph follows chains of redirects and refuses circles', () => {
  const graph = chain();
  const patched = patchGraph(graph, {
    redirect: new Map([
      ['i', 'r'],
      ['r', 'x'],
    ]),
  });
  expect(text(patched.nodes)).toBe('Neg(x)=y Abs(x)=z');
  const circle = new Map([
    ['i', 'r'],
    ['r', 'i'],
  ]);
  expect(() => patchGraph(graph, { redirect: circle })).toThrow(/circle/);
});

test('a redirected graph output keeps its name: the maker takes it, or an Identity copies', () => {
  const graph = chain();
  const taken = patchGraph(graph, { redirect: new Map([['z', 'i']]) });
  expect(text(taken.nodes)).toBe('Relu(x)=r Identity(r)=z Neg(z)=y');
  expect(taken.outputs).toEqual(['y', 'z']);
  const fromInput = patchGraph(graph, { redirect: new Map([['y', 'x']]) });
  expect(text(fromInput.nodes)).toBe('Relu(x)=r Identity(r)=i Abs(i)=z Identity(x)=y');
  const same = patchGraph(graph, { redirect: new Map([['y', 'z']]) });
  expect(text(same.nodes)).toBe('Relu(x)=r Identity(r)=i Abs(i)=z Identity(z)=y');
  const both = patchGraph(graph, {
    redirect: new Map([
      ['y', 'i'],
      ['z', 'i'],
    ]),
  });
  expect(text(both.nodes)).toBe('Relu(x)=r Identity(r)=y Identity(y)=z');
});

test('patchGraph replaces nodes and sorts what it adds', () => {
  const graph = chain();
  const node = (op: string, inputs: string[], output: string): Node => ({
    name: output,
    op,
    domain: '',
    inputs,
    outputs: [output],
    attributes: new Map(),
  });
  const patched = patchGraph(graph, {
    replace: new Map([[graph.nodes[2], [node('Mul', ['i', 'two'], 'y')]]]),
    add: [node('Exp', ['e'], 'two'), node('Log', ['k'], 'e')],
    initializers: new Map([
      ['k', tensorFrom('float32', [], [1])],
      ['unused', tensorFrom('float32', [], [1])],
    ]),
  });
  expect(text(patched.nodes)).toBe('Relu(x)=r Identity(r)=i Log(k)=e Exp(e)=two Mul(i,two)=y Abs(i)=z');
  expect([...patched.initializers.keys()]).toEqual(['k']);
});

test('nameMaker avoids every name and its own results', () => {
  const fresh = nameMaker(chain());
  expect([fresh('x'), fresh('x'), fresh('new'), fresh('new'), fresh('')]).toEqual([
    'x_1',
    'x_2',
    'new',
    'new_1',
    'value',
  ]);
});
