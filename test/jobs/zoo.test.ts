import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../lib/core/rng';
import { subgraphsOf } from '../../lib/ir/edit';
import type { Graph, Node } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { inspect } from '../../lib/jobs/inspect';
import { requireModel } from '../../lib/jobs/make-plan';
import { inlineBranches } from '../../lib/passes/inline-branches';
import { openReference } from '../../lib/reference/session';
import { describeWithZoo, ZOO_DIR } from '../data';

/** Extents of the inputs, by file name; values of integer inputs, of which the dearest that runs counts. */
const GIVEN: readonly [file: RegExp, shapes: Readonly<Record<string, readonly number[]>>, integers?: Integers][] = [
  [/nudenet/, { images: [1, 3, 96, 96] }],
  [/onnx_asr/, { waveforms: [1, 4000], waveforms_lens: [1] }, { waveforms_lens: [4000] }],
  [/embedding_model/, { input_1: [1, 76, 32, 1] }],
  [/melspectrogram/, { input: [1, 16000] }],
  [/browser__silero_vad|silero_vad_legacy/, { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64] }, { sr: [16000, 8000] }],
  [
    /silero_vad_v|silero_vad__silero_vad.onnx|op15|half|ifless/,
    { input: [1, 576], state: [2, 1, 128] },
    { sr: [16000] },
  ],
  [/16k_sequence/, { input: [32, 576] }],
  [/v4_det/i, { x: [1, 3, 64, 64] }],
  [/v4_rec/i, { x: [1, 3, 48, 96] }],
  [/cls_infer/, { x: [1, 3, 48, 192] }],
];
type Integers = Readonly<Record<string, readonly number[]>>;

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

/** All feeds that the integer inputs' values allow. */
function feedsOf(graph: Graph, integers: Integers): ReadonlyMap<string, Tensor>[] {
  const rng = new Rng(1);
  return graph.inputs.reduce<Map<string, Tensor>[]>(
    (list, name) => {
      const { type, shape } = graph.values.get(name)!;
      const dims = shape!.map((dim) => (typeof dim === 'number' ? dim : 1));
      const draw = () => Array.from({ length: elementCount(dims) }, () => 0.1 * rng.normal());
      const tensors =
        type === 'int64'
          ? integers[name].map((value) => tensorFrom('int64', dims, Array(elementCount(dims)).fill(value)))
          : [tensorFrom('float32', dims, draw())];
      return list.flatMap((feeds) => tensors.map((tensor) => new Map([...feeds, [name, tensor]])));
    },
    [new Map()],
  );
}

const FILES = existsSync(ZOO_DIR) ? readdirSync(ZOO_DIR).filter((file) => file.endsWith('.onnx')) : [];

describeWithZoo('networks that people ship', () => {
  test.each(FILES)('%s: inspect counts what runs', async (file) => {
    const [, shapes, integers = {}] = GIVEN.find(([pattern]) => pattern.test(file)) ?? [/none/, {}];
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
    expect(FILES.length).toBeGreaterThanOrEqual(51);
  });
});
