import { percentText, timeText } from '../../lib/cli/text';
import { compile, diagnose } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { openFed } from '../rival';
import { chooseRepeat, median, ratioSpread, spreadOf, timeInterleaved } from '../timing';
import type { TrialContext, TrialOutcome } from '../trial';
import { bindFeeds, callFeeds, callGraph, type Integers, integersOf } from './calls';
import { absentNetworks, shippedFolders, shippedNetworks } from './folders';

/** Time that rounds may take in all, in milliseconds. */
const ROUNDS_MS = 2000;
const LEAST_ROUNDS = 15;
/** Nodes that a record names. */
const HOTTEST = 5;

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

async function measure(model: Uint8Array, prepared: Graph, integers: Integers, pairs: number) {
  const { plan } = compile(prepared, { sourceHash: '0'.repeat(64) });
  const feeds = callFeeds(prepared, integers);
  const session = openSession(plan);
  const rival = await openFed(model, feeds);
  try {
    const run = bindFeeds(session, feeds);
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
    const run = bindFeeds(session, feeds);
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
