import { percentText } from '../../lib/cli/text';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { type Errors, judge, spreadText } from './judge';
import { denseNet, MNIST_NETS } from './mnist-nets';
import { lackingSamples, mnistSamples } from './samples';
import { meanOverSeeds, SEEDS } from './seeds';

/** LeNet-5 and LeNet-300-100 trained on MNIST from three seeds; errors of the integer engine on the 5,000 test digits. */
export async function runMnistTraining({ dataFolder, say }: TrialContext): Promise<TrialOutcome> {
  const lacking = lackingSamples(dataFolder, 'mnist');
  if (lacking) return { records: [], table: [], skipped: [`training: ${lacking} is not there`], missed: [] };
  const samples = mnistSamples(dataFolder);
  const records: TrialRecord[] = [];
  const table: string[][] = [['net', 'error int8', 'error float', 'bar']];
  const missed: string[] = [];
  for (const net of MNIST_NETS) {
    const errors: Errors[] = [];
    for (const seed of SEEDS) {
      const reference = createReferenceEvaluate();
      try {
        say(`training: ${net.label}, seed ${seed}`);
        const dense = await denseNet(net, seed, samples.training, reference.evaluate);
        errors.push(await judge(dense, samples, reference.evaluate));
      } finally {
        await reference.close();
      }
    }
    const [int8, float] = [meanOverSeeds(errors.map((e) => e.int8)), meanOverSeeds(errors.map((e) => e.float))];
    const met = int8.mean <= net.bar;
    if (!met) missed.push(`training of ${net.label}: error ${percentText(int8.mean)} > ${percentText(net.bar)}`);
    const { training, shift } = net;
    const counts = { training: samples.training.count, test: samples.test.count };
    records.push({
      net: net.name,
      seeds: SEEDS,
      samples: counts,
      training,
      shift,
      error: { int8, float },
      bar: net.bar,
    });
    table.push([net.label, spreadText(int8), spreadText(float), `${percentText(net.bar)} ${met ? 'met' : 'missed'}`]);
  }
  return { records, table, skipped: [], missed };
}
