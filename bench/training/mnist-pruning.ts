import { percentText } from '../../lib/cli/text';
import { type PruneReport, prune } from '../../lib/compress/prune/prune';
import { pruneOptions } from '../../lib/compress/prune/prune-options';
import { zerosIn } from '../../lib/compress/prune/select-masks';
import { parseOptions } from '../../lib/core/parse-options';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { viewAs } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { cachedNet } from './cached-net';
import { type Errors, judge, spreadText } from './judge';
import { denseNet, MNIST_NETS, type MnistNet, shifted } from './mnist-nets';
import { lackingSamples, mnistSamples, type Samples } from './samples';
import { meanOverSeeds, SEEDS } from './seeds';

/** Share of the weights that stay. */
const KEPT = 0.08;
/** Errors that pruning may add, as a share of the test digits. */
const BAR = 0.001;

/** A network of one seed before and after pruning. */
interface Pair {
  readonly dense: Errors;
  readonly pruned: Errors;
  readonly kept: number;
}

/** LeNet-5 and LeNet-300-100 pruned to 8 % of their weights, over three seeds; errors of the integer engine. */
export async function runMnistPruning({ dataFolder, say }: TrialContext): Promise<TrialOutcome> {
  const lacking = lackingSamples(dataFolder, 'mnist');
  if (lacking) return { records: [], table: [], skipped: [`pruning: ${lacking} is not there`], missed: [] };
  const samples = mnistSamples(dataFolder);
  const records: TrialRecord[] = [];
  const table: string[][] = [['net', 'kept', 'error dense', 'error pruned', 'added', 'float', 'bar']];
  const missed: string[] = [];
  for (const net of MNIST_NETS) {
    const pairs: Pair[] = [];
    for (const seed of SEEDS) {
      say(`pruning: ${net.label}, seed ${seed}`);
      pairs.push(await pairOf(net, seed, samples));
    }
    const mean = (of: (pair: Pair) => number) => meanOverSeeds(pairs.map(of));
    const added = mean(({ dense, pruned }) => pruned.int8 - dense.int8);
    const [dense, pruned] = [mean((pair) => pair.dense.int8), mean((pair) => pair.pruned.int8)];
    const float = { dense: mean((pair) => pair.dense.float), pruned: mean((pair) => pair.pruned.float) };
    const kept = Math.max(...pairs.map((pair) => pair.kept));
    const met = added.mean <= BAR && kept <= KEPT + 1e-4;
    if (!met) missed.push(`pruning of ${net.label}: ${percentText(added.mean)} more errors > ${percentText(BAR)}`);
    const { recovery, shift } = net;
    const counts = { training: samples.training.count, test: samples.test.count };
    const error = { int8: { dense, pruned, added }, float };
    records.push({ net: net.name, seeds: SEEDS, samples: counts, kept, recovery, shift, error, bar: BAR });
    table.push([
      net.label,
      percentText(kept),
      spreadText(dense),
      spreadText(pruned),
      spreadText(added),
      `${percentText(float.dense.mean)} -> ${percentText(float.pruned.mean)}`,
      `${percentText(BAR)} ${met ? 'met' : 'missed'}`,
    ]);
  }
  return { records, table, skipped: [], missed };
}

async function pairOf(net: MnistNet, seed: number, samples: Samples): Promise<Pair> {
  const reference = createReferenceEvaluate();
  const { evaluate } = reference;
  try {
    const dense = await denseNet(net, seed, samples.training, evaluate);
    const options = parseOptions(pruneOptions, { sparsity: 1 - KEPT, training: net.recovery });
    const settings = { net: { ...net, build: undefined }, options, seed };
    const pruned = await cachedNet(`${net.name}-pruned`, settings, () =>
      pruneNet(net, dense, options, seed, samples, evaluate),
    );
    return {
      dense: await judge(dense, samples, evaluate),
      pruned: await judge(pruned, samples, evaluate),
      kept: keptShare(pruned),
    };
  } finally {
    await reference.close();
  }
}

async function pruneNet(
  net: MnistNet,
  dense: Graph,
  options: ReturnType<typeof pruneOptions.parse>,
  seed: number,
  samples: Samples,
  evaluate: Evaluate,
): Promise<Graph> {
  const { graph } = prepare(dense, { batchNorm: 'keep' });
  const { training, calibration, validation } = samples;
  const result = await prune.apply(graph, options, {
    data: { training: shifted(net, training), calibration, validation },
    evaluate,
    score: () => Promise.reject(new Error('the last step is taken')),
    teacher: graph,
    seed,
    keep: new Set(),
    target: { isa: 'ref' },
  });
  const { sparsity } = result.report as PruneReport;
  if (Math.abs(sparsity - options.sparsity) > 1e-4)
    throw new Error(`pruned to ${sparsity}, asked for ${options.sparsity}`);
  return result.graph;
}

/** Share of the weights (tensors of rank 2 and more) that are not zero. */
function keptShare({ initializers }: Graph): number {
  const weights = [...initializers.values()].filter(({ type, dims }) => type === 'float32' && dims.length >= 2);
  const [zeros, all] = weights
    .map((tensor) => viewAs(tensor, 'float32'))
    .reduce(([gone, count], values) => [gone + zerosIn(values), count + values.length], [0, 0]);
  return 1 - zeros / all;
}
