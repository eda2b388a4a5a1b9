import { compile, diagnose } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { allocate } from '../../lib/engine/arrays';
import type { Session } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, type ViewType, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { indexLimits, randomFeeds } from '../../lib/jobs/random-feeds';
import { bindInputs } from '../../lib/passes/bind-inputs';
import { MODELS } from '../models';
import { absentNetworks, shippedFolders, shippedNetworks } from './folders';

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
/** Values of integer inputs by name. */
export type Integers = Readonly<Record<string, number>>;

/** Names that `--only` may choose from: int8 models and networks that people ship. */
export function callParts(): readonly string[] {
  return [...MODELS.map(({ label }) => `${label}.int8`), ...shippedNetworks(shippedFolders()).map(({ name }) => name)];
}

/** A network that people ship, compiled in float for one call. */
export interface PreparedCall {
  readonly name: string;
  readonly plan: Uint8Array;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** The networks at hand that run wholly on the engine, those that are wanted by name; and what is absent or does not. */
export async function preparedCalls(
  wants: (name: string) => boolean,
): Promise<{ readonly calls: readonly PreparedCall[]; readonly skipped: readonly string[] }> {
  const folders = shippedFolders();
  const calls: PreparedCall[] = [];
  const skipped = absentNetworks(folders).map((folder) => `${folder} is not there`);
  for (const { name, path } of shippedNetworks(folders).filter((network) => wants(network.name))) {
    const { graph } = requireModel(await openArtifact(path), 'bench');
    const prepared = prepareForEngine(callGraph(graph, name));
    const [lack] = diagnose(prepared).filter(({ severity }) => severity === 'error');
    if (lack !== undefined) skipped.push(`${name}: ${lack.message}`);
    else {
      const { plan } = compile(prepared, { sourceHash: '0'.repeat(64) });
      calls.push({ name, plan, feeds: callFeeds(prepared, integersOf(name)) });
    }
  }
  return { calls, skipped };
}

/** The network of a file, with the extents of one call. */
export function callGraph(graph: Graph, file: string): Graph {
  const shapes = CALLS.find(([pattern]) => pattern.test(file))?.[1] ?? {};
  return bindInputs(graph, new Map(Object.entries(shapes).filter(([name]) => graph.inputs.includes(name))));
}

/** What its integer inputs are in such a call. */
export function integersOf(file: string): Integers {
  return CALLS.find(([pattern]) => pattern.test(file))?.[2] ?? {};
}

/** One inference on these feeds, from and to arrays bound once. */
export function bindFeeds(session: Session, feeds: ReadonlyMap<string, Tensor>): () => void {
  const inputs = session.inputs.map(({ name, type }) => [name, viewAs(feeds.get(name)!, type as ViewType)] as const);
  const outputs = session.outputs.map((port) => [port.name, allocate(port)] as const);
  return session.bind(Object.fromEntries(inputs) as Record<string, PlanArray>, Object.fromEntries(outputs));
}

/** Seeded inputs of a call. */
export function callFeeds(graph: Graph, integers: Integers): Map<string, Tensor> {
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
