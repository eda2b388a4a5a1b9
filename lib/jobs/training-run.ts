import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../reference/evaluate';
import { restDropout } from '../train/dropout';
import type { TrainState } from '../train/train-options';
import type { Checkpoint } from './checkpoint';
import { openFinishedWith } from './open-finished';
import { createScorer } from './recipe/recipe-score';

export interface EpochReport {
  /** Epochs done; 0 is the model as it came in. */
  readonly epoch: number;
  /** Mean loss of the epoch's batches; null for epoch 0. */
  readonly loss: number | null;
  /** Share of validation samples with the right class, 0..1. */
  readonly accuracy: number;
}

/** Share of right classes on the validation samples, 0..1. */
export type EpochJudge = (graph: Graph) => Promise<number>;

/** The part of a run that `train` does not know of; it stands in the note of a checkpoint. */
export interface RunProgress {
  readonly epochs: readonly EpochReport[];
  /** Sum of the losses of the epoch under way. */
  readonly lossSum: number;
}

/** What a run has reached so far. */
export interface TrainingRun {
  /** The epoch that was best on the validation samples; the later one of equals. */
  best(): EpochReport;
  bestGraph(): Graph;
  progress(): RunProgress;
  /** The state with the tensors of the best epoch beside it. */
  withBest(state: TrainState): TrainState;
  addLoss(loss: number): void;
  endEpoch(epoch: number, trained: Graph): Promise<void>;
}

export interface TrainingRunOptions {
  /** Checkpoint to go on from. */
  readonly saved: Checkpoint | undefined;
  readonly judge: EpochJudge;
  readonly stepsPerEpoch: number;
  readonly onEpoch: ((epoch: EpochReport) => void) | undefined;
}

/** Prefix of the best epoch's tensors in a checkpoint. */
const BEST = 'best:';

/** Begins a run of `graph`, whose accuracy is that of epoch 0, or goes on with a saved one. */
export async function openRun(
  graph: Graph,
  { saved, judge, stepsPerEpoch, onEpoch }: TrainingRunOptions,
): Promise<TrainingRun> {
  const before = saved?.note as RunProgress | undefined;
  const epochs: EpochReport[] = before ? [...before.epochs] : [{ epoch: 0, loss: null, accuracy: await judge(graph) }];
  let lossSum = before?.lossSum ?? 0;
  let bestTensors: ReadonlyMap<string, Tensor> = new Map(
    [...(saved?.state.tensors ?? [])]
      .filter(([name]) => name.startsWith(BEST))
      .map(([name, tensor]) => [name.slice(BEST.length), tensor]),
  );
  if (!before) onEpoch?.(epochs[0]);
  const best = () => epochs.reduce((leader, each) => (each.accuracy >= leader.accuracy ? each : leader));
  return {
    best,
    bestGraph: () => ({ ...graph, initializers: new Map([...graph.initializers, ...bestTensors]) }),
    progress: () => ({ epochs, lossSum }),
    withBest: ({ step, tensors }) => {
      const kept = [...bestTensors].map(([name, tensor]) => [BEST + name, tensor] as const);
      return { step, tensors: new Map([...tensors, ...kept]) };
    },
    addLoss(loss) {
      // A step that diverged has none to speak of.
      if (Number.isFinite(loss)) lossSum += loss;
    },
    async endEpoch(epoch, trained) {
      const report = { epoch, loss: lossSum / stepsPerEpoch, accuracy: await judge(trained) };
      epochs.push(report);
      lossSum = 0;
      if (best() === report)
        bestTensors = new Map(
          [...trained.initializers].filter(([name, tensor]) => tensor !== graph.initializers.get(name)),
        );
      onEpoch?.(report);
    },
  };
}

/** A judge over labelled samples, with onnxruntime. `float` is the model that is trained. */
export function openJudge(samples: Dataset, float: Graph, signal: AbortSignal | undefined): EpochJudge {
  // Every epoch is another graph: its session goes with it.
  let reference: ReferenceEvaluate;
  const scorer = createScorer({
    samples,
    float,
    openFinished: openFinishedWith((...args) => reference.evaluate(...args)),
    ...(signal && { signal }),
  });
  return async (graph) => {
    reference = createReferenceEvaluate();
    try {
      return await scorer.score(restDropout(graph));
    } finally {
      await reference.close();
    }
  };
}
