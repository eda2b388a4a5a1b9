import { feedsOf } from '../../compress/feeds';
import type { Finished, OpenFinished } from '../../compress/finished';
import type { ScoreDetail } from '../../compress/recipe/context';
import { taskOf } from '../../compress/task';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { toNumbers } from '../../ir/tensor';
import { inferShapes } from '../../passes/infer-shapes';
import { interruptCheck } from '../interrupt';
import { type JudgedSample, judgeSample, type Merit, type OutputValues, qualityOf } from '../merit';

/** Judges models by the same samples. */
export interface RecipeScorer {
  /**
   * What a score of 1 is all of: samples whose class is that of the label (`accuracy`), classes that are those of the float model,
   * one per sample (`agreement`) or per position of a sequence or map (`agreement per position`), or outputs without error beside those of
   * the float model (`1 - error`; the error is the root of their mean squared difference beside their power).
   */
  readonly metric: 'accuracy' | 'agreement' | 'agreement per position' | '1 - error';
  /** Quality of a graph by the metric, 0..1. The first graph that is scored is the one that others are compared with. */
  score(graph: Graph): Promise<number>;
  /** How sure the score of a graph is; undefined before it was scored. */
  detailOf(graph: Graph): ScoreDetail | undefined;
}

export interface ScorerOptions {
  readonly samples: Dataset;
  /** The model to agree with where samples have no labels. */
  readonly float: Graph;
  readonly openFinished: OpenFinished;
  readonly signal?: AbortSignal;
}

/** Elements of the float model's outputs that are kept; beyond, they are computed again for each graph. */
const REMEMBERED = 2 ** 24;

/** A scorer over some samples. */
export function createScorer({ samples, float, openFinished, signal }: ScorerOptions): RecipeScorer {
  const task = taskOf(inferShapes(float).graph, samples.hasLabels);
  const tokensOf = task.kind === 'positions' ? task.tokens : undefined;
  const details = new WeakMap<Graph, ScoreDetail>();
  let remembered: readonly OutputValues[] | undefined;
  let baseline: readonly Merit[] | undefined;

  /** What a network makes of every sample; one with a fixed batch leaves out samples that do not fill one. */
  async function* samplesOf({ graph, run }: Finished): AsyncGenerator<Omit<JudgedSample, 'expected'>> {
    let done = 0;
    const check = interruptCheck(signal, () => `validation after ${done} of ${samples.count} samples`);
    for await (const { count, inputs, labels } of feedsOf(graph, samples)) {
      await check();
      const outputs = outputsOf(graph, await run(inputs));
      const tokens = tokensOf === undefined ? undefined : toNumbers(inputs.get(tokensOf)!);
      for (let sample = 0; sample < count; sample++)
        yield {
          found: outputs.map((output) => sampleOf(output, sample, count)),
          label: labels?.[sample],
          tokens: tokens && partOf(tokens, sample, count),
        };
      done += count;
    }
  }

  /** The float model's outputs, sample by sample: from memory where they fit into it. */
  async function* expectations(): AsyncGenerator<OutputValues> {
    if (remembered) return yield* remembered;
    const kept: OutputValues[] = [];
    let elements = 0;
    const reference = await openFinished(float);
    try {
      for await (const { found } of samplesOf(reference)) {
        elements += found.reduce((sum, { values }) => sum + values.length, 0);
        if (elements <= REMEMBERED) kept.push(found);
        yield found;
      }
    } finally {
      await reference.close();
    }
    if (elements <= REMEMBERED) remembered = kept;
  }

  async function meritsOf(finished: Finished): Promise<Merit[]> {
    const merits: Merit[] = [];
    const expected = samples.hasLabels ? undefined : expectations();
    for await (const sample of samplesOf(finished)) {
      const next = await expected?.next();
      merits.push(judgeSample(task, { ...sample, expected: next?.done ? undefined : next?.value }));
    }
    // Closes what a shorter run has left open.
    await expected?.return(undefined);
    return merits;
  }

  return {
    metric: samples.hasLabels
      ? 'accuracy'
      : task.kind === 'numbers'
        ? '1 - error'
        : task.kind === 'positions'
          ? 'agreement per position'
          : 'agreement',
    async score(graph) {
      const finished = await openFinished(graph);
      try {
        const merits = await meritsOf(finished);
        baseline ??= merits;
        const { score, ...detail } = qualityOf(merits, baseline);
        details.set(graph, { ...detail, judgedBy: finished.by });
        return score;
      } finally {
        await finished.close();
      }
    },
    detailOf: (graph) => details.get(graph),
  };
}

function outputsOf(graph: Graph, results: Awaited<ReturnType<Finished['run']>>): OutputValues {
  return graph.outputs.map((name) => {
    const tensor = results.get(name)!;
    return { values: tensor.type === 'string' ? [] : toNumbers(tensor), dims: tensor.dims };
  });
}

/** One sample of outputs of `count` samples. */
function sampleOf({ values, dims }: OutputValues[number], sample: number, count: number): OutputValues[number] {
  return { values: partOf(values, sample, count), dims: [1, ...dims.slice(1)] };
}

function partOf(values: readonly number[], sample: number, count: number): readonly number[] {
  const each = values.length / count;
  return values.slice(sample * each, (sample + 1) * each);
}
