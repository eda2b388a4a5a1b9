import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import type { MaskMoment } from '../../train/train-options';
import { magnitudeScores } from './magnitude';
import { type Measurement, measureOnGradients, measureOnInputs, type Scores } from './measure-scores';
import { movementScores } from './movement';
import { randomScores } from './random';
import { snipScores } from './snip';
import type { PruneTarget } from './targets';
import { addTaylorScores } from './taylor';
import { wandaScores } from './wanda';

/** A way to tell the worth of a single weight. */
export interface CriterionRow {
  /** What it is, for the text of the option. */
  readonly about: string;
  /** What it has to see besides the weights. */
  readonly needs: 'nothing' | 'labels' | 'inputs' | 'training';
  /** The widest set of weights whose worths can be compared: those of one output unit, of a layer, of the network. */
  readonly competes: 'unit' | 'layer' | 'network';
  /** What the sum of removed and kept worths is made of that a layer's damage is a share of. */
  readonly damage: 'squared-worth' | 'worth' | 'squared-weight' | 'output-error';
  /** The worth of every weight at once, or that `solveTargets` tells it while it mends the others; absent: only while training. */
  readonly measure?: ((request: Measurement) => Promise<Scores>) | 'by solving';
  /** The worth in the middle of training, of target `index`; absent where it cannot be told there. */
  readonly follow?: (moment: MaskMoment, target: PruneTarget, index: number, seed: number) => Float64Array;
}

const weightsOf = (graph: Graph, { weight }: PruneTarget): Float32Array =>
  viewAs(graph.initializers.get(weight)!, 'float32');

/** The criteria of unstructured pruning. Options, docs, damage and tests loop over the rows. */
export const CRITERIA = {
  magnitude: {
    about: '|w|',
    needs: 'nothing',
    competes: 'network',
    damage: 'squared-worth',
    measure: async ({ graph, targets }) =>
      new Map(targets.map((target) => [target, magnitudeScores(weightsOf(graph, target))])),
    follow: ({ weights }, { weight }) => magnitudeScores(viewAs(weights.get(weight)!, 'float32')),
  },
  random: {
    about: 'any, as a baseline',
    needs: 'nothing',
    competes: 'network',
    damage: 'squared-weight',
    measure: async ({ targets, context }) =>
      new Map(targets.map((target, index) => [target, randomScores(target.count, context.seed, index)])),
    follow: (_, { count }, index, seed) => randomScores(count, seed, index),
  },
  snip: {
    about: '|g w| from labelled samples',
    needs: 'labels',
    competes: 'network',
    damage: 'worth',
    measure: async (request) => {
      const gradients = await measureOnGradients('snip', request, (sum, _, gradient, share) => {
        for (let index = 0; index < sum.length; index++) sum[index] += share * gradient[index];
      });
      return new Map(
        [...gradients].map(([target, gradient]) => [target, snipScores(weightsOf(request.graph, target), gradient)]),
      );
    },
  },
  taylor: {
    about: '(g w)^2 from labelled samples',
    needs: 'labels',
    competes: 'network',
    damage: 'worth',
    measure: (request) => measureOnGradients('taylor', request, addTaylorScores),
  },
  movement: {
    about: '-sum w g while training',
    needs: 'training',
    competes: 'network',
    damage: 'squared-weight',
    follow: ({ scores }, { weight }) => movementScores(viewAs(scores.get(weight)!, 'float32')),
  },
  wanda: {
    about: '|w| |x| from samples without labels',
    needs: 'inputs',
    competes: 'unit',
    damage: 'squared-worth',
    measure: (request) =>
      measureOnInputs(request, (target, readers) => wandaScores(weightsOf(request.graph, target), readers)),
  },
  sparsegpt: {
    about: 'second order from samples without labels, mends the other weights',
    needs: 'inputs',
    competes: 'layer',
    damage: 'output-error',
    measure: 'by solving',
  },
} as const satisfies Readonly<Record<string, CriterionRow>>;

/** How the worth of a single weight is told. */
export type Criterion = keyof typeof CRITERIA;

/** The row of a criterion, with facts that the others lack. */
export function rowOf(criterion: Criterion): CriterionRow {
  return CRITERIA[criterion];
}
