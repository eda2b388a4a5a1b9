import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compile } from '../../lib/compile/compile';
import { addPower, decibels, type Power, powerOf } from '../../lib/compress/quantize/measure-quality';
import type { QuantizeReport } from '../../lib/compress/quantize/report';
import { writeNpz } from '../../lib/data/npz';
import type { Dataset } from '../../lib/ir/dataset';
import { type Tensor, toNumbers, viewAs } from '../../lib/ir/tensor';
import { type ModelArtifact, openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import type { Executor } from '../../lib/jobs/executor';
import { requireModel } from '../../lib/jobs/make-plan';
import { openNativeExecutor } from '../../lib/jobs/native-executor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { openRecorded } from '../../lib/jobs/samples';
import { prepareWithBodies } from '../../lib/passes/prepare-with-bodies';
import { openReference } from '../../lib/reference/session';
import { ratioSpread, timeInterleaved } from '../timing';
import { goldenSets } from './golden-sets';
import { type PeerResult, runPeers } from './run-peers';
import { type Folders, samplesFor } from './samples';

/** A network quantized at the defaults; SQNR in dB of the integer engine beside the float network in onnxruntime, by output. */
export interface TriedNetwork {
  /** Size of the file, and of the plans. */
  readonly bytes: number;
  readonly planBytes: number;
  readonly floatPlanBytes: number;
  /** What samples are made of. */
  readonly samples: string;
  readonly calibration: number;
  readonly test: number;
  /** Layers on integers, and those that outputs lose too much with. */
  readonly layers: number;
  readonly leftInFloat: number;
  /** On samples that calibration did not see. */
  readonly sqnrDb: Readonly<Record<string, number>>;
  readonly calibrationSqnrDb: Readonly<Record<string, number>>;
  /** Share of rows of the first output whose largest element is the same; undefined where they are no scores of classes. */
  readonly agreement?: number;
  /** The same of the inputs and outputs that came with the model. */
  readonly golden?: readonly { readonly set: string; readonly sqnrDb: Readonly<Record<string, number>> }[];
  readonly goldenAgreement?: number;
  /** Time of a run over that of the float plan, median of pairs, one thread. */
  readonly timeToFloat: number;
  /** Of compression. */
  readonly seconds: number;
  readonly warnings: readonly string[];
  readonly peers: readonly PeerResult[];
}

/** Pairs of runs that are timed, and how long they may take together. */
const [MOST_PAIRS, TIMED_US] = [200, 8e6];

/** Compresses a network, and compares it with the float one on samples of its own; with peers if a Python that has them is given. */
export async function tryNetwork(path: string, folders: Folders, python: string | undefined): Promise<TriedNetwork> {
  const samples = await samplesFor(basename(path), folders);
  const model = requireModel(await openArtifact(path, samples), 'compress');
  const scratch = await mkdtemp(join(tmpdir(), 'hone-bench-'));
  try {
    const files = { calibration: join(scratch, 'calibration.npz'), test: join(scratch, 'test.npz') };
    for (const part of ['calibration', 'test'] as const)
      await writeFile(
        files[part],
        writeNpz(new Map([...samples[part]].filter(([name]) => model.graph.inputs.includes(name)))),
      );
    const start = performance.now();
    const { graph, report } = await compress(model, { data: files.calibration });
    const seconds = (performance.now() - start) / 1000;
    const { artifact, dataset } = await openRecorded(model, files.test, {});
    const plans = [graph, artifact.graph].map(
      (each) => compile(prepareForEngine(each), { sourceHash: model.hash }).plan,
    );
    const compared = await compare(artifact, plans[0], feedsIn(dataset));
    const golden = [];
    const inputs = new Map([...samples.test].map(([name, tensor]) => [name, String(tensor.dims.slice(1))]));
    for (const { set, feeds } of await goldenSets(folders, basename(path, '.onnx'))) {
      // What is compressed has the extents of its samples; a set of a shorter text fits none.
      const fits = [...feeds].every(
        ([name, { dims }]) => String(dims.slice(1)) === (inputs.get(name) ?? String(dims.slice(1))),
      );
      if (fits) golden.push({ set, ...(await compare(artifact, plans[0], [feeds])) });
    }
    return {
      bytes: model.bytes.length,
      planBytes: plans[0].length,
      floatPlanBytes: plans[1].length,
      samples: samples.what,
      ...counted(report),
      test: dataset.count,
      sqnrDb: compared.sqnrDb,
      ...(samples.classes && { agreement: compared.agreement }),
      ...(golden.length > 0 && { golden: golden.map(({ set, sqnrDb }) => ({ set, sqnrDb })) }),
      ...(golden.length > 0 &&
        samples.classes && { goldenAgreement: golden.reduce((sum, each) => sum + each.agreement, 0) / golden.length }),
      timeToFloat: await timeRatio(plans, dataset),
      seconds,
      peers: python ? await runPeers(python, model, files, scratch) : [],
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function counted(report: QuantizeReport) {
  const warnings = report.diagnostics.filter(({ severity }) => severity === 'warning').map(({ kind }) => kind);
  return {
    calibration: report.samples.calibration,
    layers: report.layers.length,
    leftInFloat: report.skipped.filter(({ reason }) => reason.startsWith('the outputs lose')).length,
    calibrationSqnrDb: Object.fromEntries(report.outputs.map((output) => [output.name, output.sqnrDb])),
    warnings: [...new Set(warnings)],
  };
}

type Feeds = ReadonlyMap<string, Tensor>;

/** A plan on the engine beside the float network in onnxruntime. */
async function compare({ graph }: ModelArtifact, plan: Uint8Array, samples: Iterable<Feeds> | AsyncIterable<Feeds>) {
  const engine = openNativeExecutor(plan);
  await using reference = await openReference(prepareWithBodies(graph).graph);
  const sums = new Map<string, Power>();
  let [rows, agreeing] = [0, 0];
  for await (const inputs of samples) {
    const expected = await reference.run(inputs);
    const found = await engine.run(acceptedBy(engine, inputs));
    for (const [name, tensor] of expected) {
      if (tensor.type !== 'float32') continue;
      const power = powerOf(viewAs(tensor, 'float32'), viewAs(found.get(name)!, 'float32'));
      sums.set(name, addPower(sums.get(name) ?? { signal: 0, noise: 0 }, power));
    }
    const [first] = expected.keys();
    const [a, b] = [expected, found].map((outputs) => classesOf(outputs.get(first)!));
    rows += a.length;
    agreeing += a.filter((class_, row) => class_ === b[row]).length;
  }
  await engine.close();
  const sqnrDb = Object.fromEntries([...sums].map(([name, { signal, noise }]) => [name, decibels(signal, noise)]));
  return { sqnrDb, agreement: agreeing / rows };
}

async function* feedsIn(dataset: Dataset): AsyncIterable<Feeds> {
  for await (const { inputs } of dataset.batches({ size: 1 })) yield inputs;
}

/** Index of the largest element of each row. */
function classesOf(tensor: Tensor): number[] {
  const data = toNumbers(tensor);
  const size = tensor.dims.at(-1) ?? 1;
  return Array.from({ length: data.length / size }, (_, row) => {
    const scores = data.slice(row * size, (row + 1) * size);
    return scores.indexOf(scores.reduce((most, score) => Math.max(most, score)));
  });
}

function acceptedBy(engine: Executor, inputs: Feeds): Feeds {
  return new Map([...inputs].filter(([name]) => engine.inputs.has(name)));
}

/** Time of the first plan over that of the second, run in turns. */
async function timeRatio(plans: readonly Uint8Array[], dataset: Dataset): Promise<number> {
  const engines = plans.map((plan) => openNativeExecutor(plan));
  for await (const inputs of feedsIn(dataset)) {
    const subjects = engines.map((engine) => {
      const feeds = acceptedBy(engine, inputs);
      return { name: engine.name, run: () => engine.run(feeds) };
    });
    const [once] = await timeInterleaved(subjects, { rounds: 3, warmUp: 1, repeat: 1 });
    const rounds = Math.max(11, Math.min(MOST_PAIRS, Math.floor(TIMED_US / (2 * once[0]))));
    const [quantized, float] = await timeInterleaved(subjects, { rounds, warmUp: 3, repeat: 1 });
    for (const engine of engines) await engine.close();
    return ratioSpread(quantized, float).median;
  }
  throw new Error('no sample');
}
