import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { compile } from '../../lib/compile/compile';
import { addPower, decibels, decibelsText, type Power, powerOf } from '../../lib/compress/quantize/measure-quality';
import { writeNpz } from '../../lib/data/npz';
import type { Dataset } from '../../lib/ir/dataset';
import { type Tensor, viewAs } from '../../lib/ir/tensor';
import { type ModelArtifact, openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { requireModel } from '../../lib/jobs/make-plan';
import { openNativeExecutor } from '../../lib/jobs/native-executor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { openRecorded } from '../../lib/jobs/samples';
import { prepareWithBodies } from '../../lib/passes/prepare-with-bodies';
import { openReference } from '../../lib/reference/session';
import { ROOT } from '../environment';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { type Folders, samplesFor } from './samples';

/** Networks that are tried: the largest of those that people ship. */
const LARGEST = 10;
/** SQNR that is enough whatever others reach, and how far above the best of them it must be elsewhere. */
const [ENOUGH_DB, AHEAD_DB] = [25, 1];

const run = promisify(execFile);

/** What quantization at its defaults leaves of the ten largest networks that people ship, beside onnxruntime's where that is at hand. */
export async function runQuantizedNetworks({ dataFolder, say }: TrialContext): Promise<TrialOutcome> {
  const cache = (name: string) => join(homedir(), '.cache', name);
  const folders: Folders = {
    zoo: resolve(process.env.HONE_ZOO ?? cache('hone-zoo')),
    pictures: resolve(process.env.HONE_PICTURES ?? cache('hone-pictures')),
    data: dataFolder,
  };
  const absent = Object.values(folders).filter((folder) => !existsSync(folder));
  const records: TrialRecord[] = [];
  const rows: string[][] = [['network', 'layers', 'in float', 'SQNR dB', 'best peer dB', 'bar']];
  if (absent.length > 0)
    return { records, table: rows, skipped: absent.map((folder) => `${folder} is not there`), missed: [] };
  const python = process.env.HONE_PEER_PYTHON ?? 'python3';
  const lacking = await lackOf(python);
  const missed: string[] = [];
  for (const file of largestIn(folders.zoo)) {
    say(`quantized-networks: ${file}`);
    const found = await tryNetwork(file, folders, lacking === undefined ? python : undefined);
    const least = Math.min(...Object.values(found.sqnrDb));
    const peers = found.peers.flatMap(({ sqnrDb }) =>
      sqnrDb ? [Math.min(...Object.values(sqnrDb).map(asRatio))] : [],
    );
    const best = Math.max(...peers);
    const bar = peers.length > 0 ? Math.min(ENOUGH_DB, best + AHEAD_DB) : ENOUGH_DB;
    const met = least >= bar;
    if (!met) missed.push(`SQNR of ${file}`);
    records.push({ ...found, bar });
    rows.push([
      file,
      String(found.layers),
      String(found.leftInFloat),
      decibelsText(least, true),
      peers.length > 0 ? decibelsText(best, true) : '-',
      met ? 'met' : 'missed',
    ]);
  }
  return {
    records,
    table: rows,
    skipped: lacking === undefined ? [] : [`onnxruntime's quantizer: ${lacking}`],
    missed,
  };
}

/** JSON has no infinity: null is the ratio without any noise. */
function asRatio(db: number | null): number {
  return db ?? Number.POSITIVE_INFINITY;
}

/** Files of the largest networks, each content once. */
function largestIn(folder: string): string[] {
  const seen = new Set<string>();
  return readdirSync(folder)
    .filter((file) => file.endsWith('.onnx'))
    .sort((a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size)
    .filter((file) => {
      const hash = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex');
      return !seen.has(hash) && seen.add(hash);
    })
    .slice(0, LARGEST);
}

/** Why the peer cannot run; undefined when it can. */
async function lackOf(python: string): Promise<string | undefined> {
  try {
    await run(python, ['-c', 'import onnxruntime.quantization, onnx, numpy']);
    return undefined;
  } catch {
    return `${python} has no onnxruntime, onnx and numpy; HONE_PEER_PYTHON may name one that has`;
  }
}

interface PeerResult {
  readonly method: string;
  /** By output; null without any noise. */
  readonly sqnrDb?: Readonly<Record<string, number | null>>;
  readonly failed?: string;
}

async function tryNetwork(file: string, folders: Folders, python: string | undefined) {
  const path = join(folders.zoo, file);
  const model = requireModel(await openArtifact(path), 'compress');
  const samples = await samplesFor(file, folders);
  if (samples === undefined) throw new Error(`no samples are known for ${file}`);
  const scratch = await mkdtemp(join(tmpdir(), 'hone-bench-'));
  try {
    const files = { calibration: join(scratch, 'calibration.npz'), test: join(scratch, 'test.npz') };
    for (const part of ['calibration', 'test'] as const)
      await writeFile(
        files[part],
        writeNpz(new Map([...samples[part]].filter(([name]) => model.graph.inputs.includes(name)))),
      );
    const { graph, report } = await compress(model, { data: files.calibration });
    const { plan } = compile(prepareForEngine(graph), { sourceHash: model.hash });
    const { artifact, dataset } = await openRecorded(model, files.test, { signal: undefined });
    const sqnrDb = await sqnrOf(artifact, plan, dataset);
    const peers = python ? await runPeers(python, model, files, scratch) : [];
    return {
      network: file,
      bytes: model.bytes.length,
      planBytes: plan.length,
      samples: samples.what,
      calibration: report.samples.calibration,
      test: dataset.count,
      layers: report.layers.length,
      leftInFloat: report.skipped.filter(({ reason }) => reason.startsWith('the outputs lose')).length,
      sqnrDb,
      calibrationSqnrDb: Object.fromEntries(report.outputs.map((output) => [output.name, output.sqnrDb])),
      warnings: [
        ...new Set(report.diagnostics.filter(({ severity }) => severity === 'warning').map(({ kind }) => kind)),
      ],
      peers,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** SQNR of every float output of a plan on the engine beside the float network in onnxruntime, by name. */
async function sqnrOf({ graph }: ModelArtifact, plan: Uint8Array, dataset: Dataset): Promise<Record<string, number>> {
  const engine = openNativeExecutor(plan);
  await using reference = await openReference(prepareWithBodies(graph).graph);
  const sums = new Map<string, Power>();
  for await (const { inputs } of dataset.batches({ size: 1 })) {
    const expected = await reference.run(inputs);
    const found = await engine.run(new Map([...inputs].filter(([name]) => engine.inputs.has(name))));
    for (const [name, tensor] of expected) {
      if (tensor.type !== 'float32') continue;
      const power = powerOf(viewAs(tensor, 'float32'), viewAs(found.get(name)!, 'float32'));
      sums.set(name, addPower(sums.get(name) ?? { signal: 0, noise: 0 }, power));
    }
  }
  await engine.close();
  return Object.fromEntries([...sums].map(([name, { signal, noise }]) => [name, decibels(signal, noise)]));
}

/** onnxruntime's static quantization of the file itself, calibrated and tested on the same samples. */
async function runPeers(
  python: string,
  model: ModelArtifact,
  files: Readonly<Record<'calibration' | 'test', string>>,
  scratch: string,
): Promise<PeerResult[]> {
  const paths = [];
  for (const part of ['calibration', 'test'] as const) {
    const { dataset } = await openRecorded(model, files[part], { signal: undefined });
    paths.push(join(scratch, `${part}-feeds.npz`));
    await writeFile(paths.at(-1)!, writeNpz(await feedsOf(dataset)));
  }
  const script = join(ROOT, 'bench/peers/quantize_with_onnxruntime.py');
  let stdout: string;
  try {
    ({ stdout } = await run(python, [script, model.path, ...paths], { maxBuffer: 1 << 24 }));
  } catch (error) {
    return [{ method: 'all', failed: (error as Error).message.trim().split('\n').at(-1)! }];
  }
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as PeerResult);
}

/** Whole feeds, one per row. */
async function feedsOf(dataset: Dataset): Promise<Map<string, Tensor>> {
  const rows = new Map<string, Tensor[]>();
  for await (const { inputs } of dataset.batches({ size: 1 }))
    for (const [name, tensor] of inputs) rows.set(name, [...(rows.get(name) ?? []), tensor]);
  return new Map(
    [...rows].map(([name, tensors]) => {
      const [{ type, dims }] = tensors;
      const bytes = Uint8Array.from(Buffer.concat(tensors.map((tensor) => tensor.bytes)));
      return [name, { type, dims: [tensors.length, ...dims], bytes }];
    }),
  );
}
