import { join } from 'node:path';
import { subgraphsOf } from '../../lib/ir/edit';
import type { Graph, Node } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { inspect } from '../../lib/jobs/inspect';
import { requireModel } from '../../lib/jobs/make-plan';
import { inlineBranches } from '../../lib/passes/inline-branches';
import { openReference } from '../../lib/reference/session';
import { describeWithZoo, ZOO_DIR } from '../data';
import { feedsOf, givenFor, SHIPPED_NETWORKS } from '../shipped-networks';

/** Multiply-accumulates of a node from the extents that its tensors have when it runs. */
const COUNTS: Readonly<Record<string, (inputs: readonly number[][], output: readonly number[], node: Node) => number>> =
  {
    Conv: ([, weights], output) => elementCount(output) * elementCount(weights.slice(1)),
    ConvTranspose: ([input, weights]) => elementCount(input) * elementCount(weights.slice(1)),
    MatMul: ([a], output) => elementCount(output) * a[a.length - 1],
    Gemm: ([a], output, node) => elementCount(output) * (node.attributes.get('transA')?.value ? a[0] : a[1]),
    LSTM: ([x, , recurrent]) => x[0] * x[1] * recurrent[0] * 4 * recurrent[2] * (x[2] + recurrent[2]),
    GRU: ([x, , recurrent]) => x[0] * x[1] * recurrent[0] * 3 * recurrent[2] * (x[2] + recurrent[2]),
  };

/** Runs a graph in onnxruntime; returns the outputs and these values besides. */
async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>, values: readonly string[]) {
  await using session = await openReference(graph, { optimization: 'disabled', alsoFetch: values });
  return session.run(feeds, [...new Set([...graph.outputs, ...values])]);
}

/** Files with an If on what the network found (a second opinion on a wake word): the branch that costs. */
const DATA_DEPENDENT = /hey_jarvis/;

/** The graph with the branch of each If that these feeds take, or with the then branch of all. */
async function taken(graph: Graph, feeds: ReadonlyMap<string, Tensor>, then: boolean): Promise<Graph> {
  let current = graph;
  while (current.nodes.some(({ op }) => op === 'If')) {
    const conditions = current.nodes.flatMap(({ op, inputs }) => (op === 'If' ? [inputs[0]] : []));
    const made = conditions.filter((name) => !current.initializers.has(name));
    const found = await run(current, feeds, made);
    const yes = tensorFrom('bool', [], [1]);
    const known = made.map((name) => [`${name}/taken`, then ? yes : found.get(name)!] as const);
    const nodes = current.nodes.map((node) =>
      node.op === 'If' && made.includes(node.inputs[0]) ? { ...node, inputs: [`${node.inputs[0]}/taken`] } : node,
    );
    // What makes a condition runs, too.
    const outputs = [...new Set([...current.outputs, ...made])];
    current = inlineBranches({
      ...current,
      nodes,
      outputs,
      initializers: new Map([...current.initializers, ...known]),
    });
  }
  return current;
}

/** A plain walk over the file's own nodes, each counted from the shapes of its tensors in a run. */
async function countByRunning(model: Graph, feeds: ReadonlyMap<string, Tensor>, then: boolean): Promise<number> {
  const graph = await taken(model, feeds, then);
  const counted = graph.nodes.filter(({ op }) => op in COUNTS);
  for (const node of graph.nodes)
    for (const body of subgraphsOf(node)) expect(body.nodes.filter(({ op }) => op in COUNTS)).toEqual([]);
  const constants = new Set(graph.initializers.keys());
  const names = new Set(counted.flatMap(({ inputs, outputs }) => [...inputs, outputs.find((name) => name !== '')!]));
  const fetched = [...names].filter((name) => name !== '' && !constants.has(name) && !graph.inputs.includes(name));
  const values = await run(graph, feeds, fetched);
  const dimsOf = (name: string) => [...(values.get(name) ?? graph.initializers.get(name) ?? feeds.get(name))!.dims];
  let macs = 0;
  for (const node of counted) {
    const inputs = node.inputs.map((name) => (name === '' ? [] : dimsOf(name)));
    macs += COUNTS[node.op](inputs, dimsOf(node.outputs.find((name) => name !== '')!), node);
  }
  return macs;
}

describeWithZoo('networks that people ship', () => {
  test.each(SHIPPED_NETWORKS)('%s: inspect counts what runs', async (file) => {
    const { shapes, integers } = givenFor(file);
    const artifact = await openArtifact(join(ZOO_DIR, file), { shapes: new Map(Object.entries(shapes)) });
    const found = inspect(artifact);
    const { graph } = requireModel(artifact, 'test');
    const counts: number[] = [];
    for (const feeds of feedsOf(graph, integers))
      counts.push(await countByRunning(graph, feeds, DATA_DEPENDENT.test(file)));
    expect(found).toMatchObject({ macs: Math.max(...counts), macsUnknown: null });
    // Without extents it says so, unless there is nothing to give.
    const free = inspect(await openArtifact(join(ZOO_DIR, file)));
    if (Object.keys(shapes).length > 0 && found.kind === 'model' && free.kind === 'model' && free.macs !== found.macs)
      expect(free).toMatchObject({ macs: null, macsUnknown: expect.stringContaining('--shape') });
  });

  test('there are some', () => {
    expect(SHIPPED_NETWORKS.length).toBeGreaterThanOrEqual(51);
  });
});
