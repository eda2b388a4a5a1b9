import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { percentText, timeText } from '../../lib/cli/text';
import { countMacs } from '../../lib/compress/count-macs';
import type { MethodContext } from '../../lib/compress/method';
import { quantize } from '../../lib/compress/quantize/quantize';
import { pruneStructured } from '../../lib/compress/structured/prune-structured';
import { parseOptions } from '../../lib/core/parse-options';
import { augment } from '../../lib/data/augment';
import type { Graph } from '../../lib/ir/graph';
import { hostIsa } from '../../lib/jobs/layer-times';
import { readModelFile } from '../../lib/onnx/read-model';
import { prepare } from '../../lib/passes/pipeline';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { ROOT } from '../environment';
import { median } from '../timing';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { cachedNet } from './cached-net';
import { runOnEngine } from './engine-accuracy';
import { allCifar, cifarSamples, lackingSamples } from './samples';
import { meanOverSeeds, SEEDS } from './seeds';
import { timePair } from './time-pair';

const MODEL = 'resnet20_cifar10';
/** Where `bench/peers/prune_with_torch.py` leaves the networks of the peer. */
const PEERS = join(ROOT, '.cache/peers');
/** Shares of the MACs. */
const SHARES = [0.6, 0.46] as const;
/** Shares and seeds, which `--only` may name: a share needs two of its seeds for a record. */
export const PEER_PARTS: readonly string[] = SHARES.flatMap((macs) => SEEDS.map((seed) => `${macs}/${seed}`));
const TRAINING = { epochs: 10, learningRate: 0.01, select: 'last' } as const;

/** resnet20 pruned by Hone and by Torch-Pruning to the same shares of its MACs: accuracy and time of the int8 forms. */
export async function runStructuredPeers({ dataFolder, pairs, say, wants }: TrialContext): Promise<TrialOutcome> {
  const outcome = { records: [] as TrialRecord[], skipped: [] as string[], missed: [] as string[] };
  const table = [['MACs', 'net', 'MACs left', 'float', 'int8', 'time', 'of dense']];
  const path = resolve(dataFolder, 'models', `${MODEL}.onnx`);
  const lacking = existsSync(path) ? lackingSamples(dataFolder, 'cifar') : path;
  if (lacking) return { ...outcome, table, skipped: [`structured-peers: ${lacking} is not there`] };
  const reference = createReferenceEvaluate();
  try {
    const { evaluate } = reference;
    const { calibration, test } = cifarSamples(dataFolder, 'normalized');
    const dense = prepare(await readModelFile(path), { batchNorm: 'keep' }).graph;
    const toInt8 = async (graph: Graph) => (await quantize(graph, { dataset: calibration, evaluate })).graph;
    const whole = await toInt8(dense);
    const training = augment(allCifar(dataFolder), { shift: 2, flip: true });
    const ours = async (macs: number, seed: number): Promise<Graph> => {
      const options = { macs, training: TRAINING };
      const context: MethodContext = {
        data: { training, calibration, validation: calibration },
        evaluate,
        score: () => Promise.reject(new Error('the last epoch is taken')),
        teacher: dense,
        seed,
        keep: new Set(),
        target: { isa: hostIsa() },
      };
      const parsed = parseOptions(pruneStructured.options, options);
      return cachedNet('structured-peers', { options, isa: hostIsa(), seed }, async () => {
        return (await pruneStructured.apply(dense, parsed, context)).graph;
      });
    };
    const peers = async (macs: number, seed: number): Promise<Graph | undefined> => {
      const file = join(PEERS, `torch-pruning-${macs}-${seed}.onnx`);
      if (existsSync(file)) return prepare(await readModelFile(file), { batchNorm: 'keep' }).graph;
      outcome.skipped.push(`structured-peers: ${file} is not there (bench/peers/prune_with_torch.py makes it)`);
      return undefined;
    };
    for (const macs of SHARES) {
      const seeds = SEEDS.filter((seed) => wants(`${macs}/${seed}`));
      const results = new Map<string, { accuracy: number; time: number }>();
      for (const [net, make] of Object.entries({ hone: ours, 'torch-pruning': peers })) {
        const runs = [];
        for (const seed of seeds) {
          say(`structured-peers: ${net}, ${percentText(macs)} of the MACs, seed ${seed}`);
          const graph = await make(macs, seed);
          if (!graph) continue;
          const int8 = await toInt8(graph);
          const timing = await timePair(whole, int8, test, pairs);
          const [float, run] = [await runOnEngine(graph, test), await runOnEngine(int8, test)];
          runs.push({
            macs: countMacs(graph) / countMacs(dense),
            float: float.accuracy,
            int8: run.accuracy,
            ...timing,
          });
        }
        if (runs.length < 2) {
          if (runs.length > 0) outcome.skipped.push(`structured-peers: one seed of ${net} at ${macs} makes no record`);
          continue;
        }
        const [float, int8] = [meanOverSeeds(runs.map((run) => run.float)), meanOverSeeds(runs.map((run) => run.int8))];
        const [us, time] = [median(runs.map((run) => run.prunedUs)), median(runs.map((run) => 1 / run.ratio))];
        results.set(net, { accuracy: float.mean, time });
        const left = Math.max(...runs.map((run) => run.macs));
        outcome.records.push({
          model: MODEL,
          isa: hostIsa(),
          net,
          seeds: runs.length,
          goal: macs,
          macs: left,
          float,
          int8,
          us,
          timeOfDense: time,
        });
        const shares = [left, float.mean, int8.mean].map((share) => percentText(share));
        table.push([percentText(macs), net, ...shares, timeText(us), time.toFixed(3)]);
      }
      const [hone, peer] = [results.get('hone'), results.get('torch-pruning')];
      if (!hone || !peer) continue;
      if (hone.accuracy < peer.accuracy - 0.005)
        outcome.missed.push(
          `structured-peers at ${macs}: ${percentText(hone.accuracy)} beside ${percentText(peer.accuracy)}`,
        );
      if (hone.time > peer.time)
        outcome.missed.push(
          `structured-peers at ${macs}: ${hone.time.toFixed(3)} of the dense time beside ${peer.time.toFixed(3)}`,
        );
    }
  } finally {
    await reference.close();
  }
  return { ...outcome, table };
}
