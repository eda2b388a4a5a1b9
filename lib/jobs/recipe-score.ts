import { feedsOf } from '../compress/feeds';
import type { Finished, JudgedBy, OpenFinished } from '../compress/finished';
import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import { toNumbers } from '../ir/tensor';
import { largest } from '../telemetry/statistics';
import { interruptCheck } from './interrupt';

/** Judges models by the same samples. */
export interface RecipeScorer {
  /** `accuracy` by labels, `agreement` with the float model without them. */
  readonly metric: 'accuracy' | 'agreement';
  /** Share of samples with the expected class, 0..1. */
  score(graph: Graph): Promise<number>;
  /** What ran a graph for its score; undefined before it was scored. */
  judgedBy(graph: Graph): JudgedBy | undefined;
}

export interface ScorerOptions {
  readonly samples: Dataset;
  /** The model to agree with where samples have no labels. */
  readonly float: Graph;
  readonly openFinished: OpenFinished;
  readonly signal?: AbortSignal;
}

/** A scorer over some samples. */
export function createScorer({ samples, float, openFinished, signal }: ScorerOptions): RecipeScorer {
  let expected: Promise<Int32Array> | undefined;
  const judges = new WeakMap<Graph, JudgedBy>();
  const classesOf = async (graph: Graph): Promise<Int32Array> => {
    const finished = await openFinished(graph);
    judges.set(graph, finished.by);
    try {
      return await findClasses(finished, samples, signal);
    } finally {
      await finished.close();
    }
  };
  return {
    metric: samples.hasLabels ? 'accuracy' : 'agreement',
    async score(graph) {
      expected ??= samples.hasLabels ? labelsOf(samples) : classesOf(float);
      const wanted = await expected;
      const found = await classesOf(graph);
      return found.reduce((sum, value, index) => sum + Number(value === wanted[index]), 0) / found.length;
    },
    judgedBy: (graph) => judges.get(graph),
  };
}

async function labelsOf(samples: Dataset): Promise<Int32Array> {
  const labels = new Int32Array(samples.count);
  let at = 0;
  for await (const batch of samples.batches({ size: 256 })) {
    labels.set(batch.labels!, at);
    at += batch.count;
  }
  return labels;
}

/** Classes that a network finds; one with a fixed batch leaves out samples that do not fill one. */
async function findClasses(
  { graph, run }: Finished,
  samples: Dataset,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const [output] = graph.outputs;
  const classes: number[] = [];
  const check = interruptCheck(signal, () => `validation after ${classes.length} of ${samples.count} samples`);
  for await (const { count, inputs } of feedsOf(graph, samples)) {
    await check();
    const values = toNumbers((await run(inputs)).get(output)!);
    const each = values.length / count;
    for (let n = 0; n < count; n++) classes.push(largest(values.slice(n * each, (n + 1) * each)));
  }
  return Int32Array.from(classes);
}
