import { augment } from '../../lib/data/augment';
import type { Dataset } from '../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { cosine } from '../../lib/train/schedules';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import { buildLenet5 } from '../demo/lenet5';
import { cachedNet } from './cached-net';
import { buildLenet300 } from './lenet300';

/** One of the classical MNIST networks with how it is trained and pruned here; all of it chosen on the validation digits. */
export interface MnistNet {
  readonly name: 'lenet5' | 'lenet300';
  readonly label: string;
  readonly build: (seed: number) => Graph;
  readonly training: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly emaDecay: number;
  };
  /** Every digit moves by up to so many pixels, anew in every epoch. */
  readonly shift: number;
  /** Largest share of wrong test digits of the dense network. */
  readonly bar: number;
  /** Recovery while and after pruning. */
  readonly recovery: { readonly epochs: number; readonly learningRate: number };
}

export const MNIST_NETS: readonly MnistNet[] = [
  {
    name: 'lenet300',
    label: 'LeNet-300-100',
    build: buildLenet300,
    training: { epochs: 30, batchSize: 64, learningRate: 0.1, weightDecay: 5e-4, emaDecay: 0.999 },
    shift: 1,
    bar: 0.026,
    recovery: { epochs: 20, learningRate: 0.03 },
  },
  {
    name: 'lenet5',
    label: 'LeNet-5',
    build: buildLenet5,
    training: { epochs: 10, batchSize: 64, learningRate: 0.05, weightDecay: 5e-4, emaDecay: 0.999 },
    shift: 2,
    bar: 0.0125,
    recovery: { epochs: 4, learningRate: 0.02 },
  },
];

/** The training digits as these networks see them. */
export function shifted({ shift }: MnistNet, training: Dataset): Dataset {
  return augment(training, { shift });
}

/** The dense network of a seed, trained or from the cache. */
export function denseNet(net: MnistNet, seed: number, digits: Dataset, evaluate: Evaluate): Promise<Graph> {
  const { name, build, training, shift } = net;
  const { weightDecay, learningRate, ...options } = training;
  return cachedNet(name, { seed, training, shift, samples: digits.count }, () =>
    train(
      build(seed),
      shifted(net, digits),
      { ...options, seed, learningRate: cosine(learningRate), optimizer: sgd({ weightDecay }) },
      evaluate,
    ),
  );
}
