import { percentText, timeText } from '../../lib/cli/text';
import { compile, diagnose } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { allocate } from '../../lib/engine/arrays';
import { openSession, type Session } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, type ViewType, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { indexLimits, randomFeeds } from '../../lib/jobs/random-feeds';
import { bindInputs } from '../../lib/passes/bind-inputs';
import { openFed } from '../rival';
import { chooseRepeat, median, ratioSpread, spreadOf, timeInterleaved } from '../timing';
import type { TrialContext, TrialOutcome } from '../trial';
import { absentNetworks, shippedFolders, shippedNetworks } from './folders';

/** Time that rounds may take in all, in milliseconds. */
const ROUNDS_MS = 2000;
const LEAST_ROUNDS = 15;
/** Nodes that a record names. */
const HOTTEST = 5;

/** Extents and integers of one call as applications make it, by file name; other inputs have extents of their own. */
const CALLS: readonly [file: RegExp, shapes: Readonly<Record<string, readonly number[]>>, integers?: Integers][] = [
  [/nudenet/, { images: [1, 3, 320, 320] }],
  [/onnx_asr/, { waveforms: [1, 16000], waveforms_lens: [1] }, { waveforms_lens: 16000 }],
  [/embedding_model/, { input_1: [1, 76, 32, 1] }],
  [/melspectrogram/, { input: [1, 1760] }],
  [/browser__silero_vad|silero_vad_legacy/, { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64] }, { sr: 16000 }],
  [/silero_vad_v|silero_vad__silero_vad$|op15|half|ifless/, { input: [1, 576], state: [2, 1, 128] }, { sr: 16000 }],
  [/16k_sequence/, { input: [32, 576] }],
  [/v4_det/i, { x: [1, 3, 320, 320] }],
  [/v4_rec/i, { x: [1, 3, 48, 320] }],
  [/cls_infer/, { x: [1, 3, 48, 192] }],
  [/aidreams/, { tokens: [1, 96] }],
];
type Integers = Readonly<Record<string, number>>;

/** Float networks that people ship on the engine beside onnxruntime, both called from JavaScript with one thread. */
export async function runShippedNetworks({ pairs, say, wants, keep }: TrialContext): Promise<TrialOutcome> {
  const folders = shippedFolders();
  const rows: string[][] = [];
  const skipped = absentNetworks(folders).map((folder) => `${folder} is not there`);
  for (const { name, path } of shippedNetworks(folders).filter((network) => wants(network.name))) {
    say(`shipped-networks: ${name}`);
    const model = requireModel(await openArtifact(path), 'bench');
    const prepared = prepareForEngine(callGraph(model.graph, name));
    const [lack] = diagnose(prepared).filter(({ severity }) => severity === 'error');
    if (lack !== undefined) {
      await keep({ network: name, whole: false, lack: lack.message });
      skipped.push(`${name}: ${lack.message}`);
      continue;
    }
    const record = await measure(model.bytes, prepared, integersOf(name), pairs);
    await keep({ network: name, whole: true, ...record });
    rows.push([
      name,
      timeText(record.engineUs),
      timeText(record.runtimeUs),
      record.ratio.toFixed(2),
      percentText(record.onRef, 1),
      `${record.hottest[0].kernel} ${percentText(record.hottest[0].share, 1)}`,
    ]);
  }
  rows.sort((a, b) => Number(b[3]) - Number(a[3]));
  const header = ['network', 'hone', 'onnxruntime', 'ratio', 'on ref', 'hottest node'];
  return { records: [], table: [header, ...rows], skipped, missed: [] };
}

/** Names of the networks that `--only` may choose from. */
export function shippedNetworkParts(): readonly string[] {
  return shippedNetworks(shippedFolders()).map(({ name }) => name);
}

/** The network of a file, with the extents of one call. */
function callGraph(graph: Graph, file: string): Graph {
  const shapes = CALLS.find(([pattern]) => pattern.test(file))?.[1] ?? {};
  return bindInputs(graph, new Map(Object.entries(shapes).filter(([name]) => graph.inputs.includes(name))));
}

function integersOf(file: string): Integers {
  return CALLS.find(([pattern]) => pattern.test(file))?.[2] ?? {};
}

async function measure(model: Uint8Array, prepared: Graph, integers: Integers, pairs: number) {
  const { plan } = compile(prepared, { sourceHash: '0'.repeat(64) });
  const feeds = feedsFor(prepared, integers);
  const session = openSession(plan);
  const rival = await openFed(model, feeds);
  try {
    const run = bind(session, feeds);
    const duel = [
      { name: 'hone', run },
      { name: 'onnxruntime', run: rival.run },
    ];
    const repeat = await chooseRepeat(duel);
    const probe = await timeInterleaved(duel, { rounds: 3, warmUp: 1, repeat });
    const roundMs = (probe.reduce((sum, times) => sum + median(times), 0) * repeat) / 1000;
    const rounds = Math.min(pairs, Math.max(LEAST_ROUNDS, Math.ceil(ROUNDS_MS / roundMs)));
    const [engineUs, runtimeUs] = await timeInterleaved(duel, { rounds, warmUp: Math.ceil(rounds / 4), repeat });
    const [engine, runtime] = [spreadOf(engineUs), spreadOf(runtimeUs)];
    return {
      rounds,
      engineUs: Math.round(engine.median * 10) / 10,
      runtimeUs: Math.round(runtime.median * 10) / 10,
      ratio: Number(ratioSpread(engineUs, runtimeUs).median.toFixed(3)),
      ratioOfLeast: Number((engine.least / runtime.least).toFixed(3)),
      ...profile(plan, feeds, rounds),
    };
  } finally {
    session.close();
    await rival.close();
  }
}

/** Where the time goes: the dearest nodes, and what part of it runs on rows of no instruction set. */
function profile(plan: Uint8Array, feeds: ReadonlyMap<string, Tensor>, runs: number) {
  const session = openSession(plan, { profile: true });
  try {
    const run = bind(session, feeds);
    for (let i = 0; i < Math.max(20, runs); i++) run();
    const { nodes } = session.profile();
    const total = nodes.reduce((sum, { p50Ns }) => sum + p50Ns, 0);
    const share = (ns: number) => Number((ns / total).toFixed(3));
    const onRef = nodes.filter(({ kernel }) => kernel.endsWith('_ref')).reduce((sum, { p50Ns }) => sum + p50Ns, 0);
    const hottest = [...nodes].sort((a, b) => b.p50Ns - a.p50Ns).slice(0, HOTTEST);
    return {
      nodes: nodes.length,
      onRef: share(onRef),
      hottest: hottest.map(({ name, kernel, p50Ns }) => ({ name, kernel, us: p50Ns / 1000, share: share(p50Ns) })),
    };
  } finally {
    session.close();
  }
}

/** One inference on these feeds, from and to arrays bound once. */
function bind(session: Session, feeds: ReadonlyMap<string, Tensor>): () => void {
  const inputs = session.inputs.map(({ name, type }) => [name, viewAs(feeds.get(name)!, type as ViewType)] as const);
  const outputs = session.outputs.map((port) => [port.name, allocate(port)] as const);
  return session.bind(Object.fromEntries(inputs) as Record<string, PlanArray>, Object.fromEntries(outputs));
}

function feedsFor(graph: Graph, integers: Integers): Map<string, Tensor> {
  const types = new Map(graph.inputs.map((name) => [name, graph.values.get(name)!]));
  const drawn = randomFeeds(types, 1, indexLimits(graph));
  return new Map(
    [...drawn].map(([name, { type, dims, bytes }]) => {
      const given = integers[name];
      if (given === undefined) return [name, { type, dims, bytes }];
      return [name, tensorFrom(type as ViewType, dims, Array(elementCount(dims)).fill(given))];
    }),
  );
}
