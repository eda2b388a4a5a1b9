import { compile, diagnose } from '../compile/compile';
import type { Dataset } from '../ir/dataset';
import type { Evaluate, Graph } from '../ir/graph';
import { toNumbers } from '../ir/tensor';
import { largest } from '../telemetry/statistics';
import { isQuantized } from './artifact';
import { type ExecutorName, openNativeExecutor } from './executor';
import { interruptCheck } from './interrupt';
import { prepareForEngine } from './make-plan';

/** Judges models by the same samples. */
export interface RecipeScorer {
  /** `accuracy` by labels, `agreement` with the float model without them. */
  readonly metric: 'accuracy' | 'agreement';
  /** Share of samples with the expected class, 0..1. */
  score(graph: Graph): Promise<number>;
}

export interface ScorerOptions {
  readonly samples: Dataset;
  /** The model to agree with where samples have no labels. */
  readonly float: Graph;
  readonly evaluate: Evaluate;
  /** Whether the native engine may run models; true when left out. */
  readonly engine?: boolean;
  readonly signal?: AbortSignal;
}

/** A scorer over some samples. Quantized models run on the native engine where it can run them, others in onnxruntime. */
export function createScorer({ samples, float, evaluate, engine = true, signal }: ScorerOptions): RecipeScorer {
  let expected: Promise<Int32Array> | undefined;
  return {
    metric: samples.hasLabels ? 'accuracy' : 'agreement',
    async score(graph) {
      expected ??= samples.hasLabels ? labelsOf(samples) : classesByReference(float, samples, evaluate, signal);
      const wanted = await expected;
      const found =
        engine && executorOf(graph) === 'native'
          ? await classesByEngine(graph, samples, signal)
          : await classesByReference(graph, samples, evaluate, signal);
      return found.reduce((sum, value, index) => sum + Number(value === wanted[index]), 0) / found.length;
    },
  };
}

/** What runs a model for its score: what the board will do where that is settled, that is for quantized models. */
function executorOf(graph: Graph): ExecutorName {
  return isQuantized(graph) && diagnose(prepareForEngine(graph)).length === 0 ? 'native' : 'onnxruntime';
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

async function classesByEngine(graph: Graph, samples: Dataset, signal: AbortSignal | undefined): Promise<Int32Array> {
  const { plan } = compile(prepareForEngine(graph), { sourceHash: '0'.repeat(64) });
  const executor = openNativeExecutor(plan);
  try {
    const [output] = executor.outputs;
    const classes = new Int32Array(samples.count);
    let at = 0;
    const check = interruptCheck(signal, () => `validation after ${at} of ${samples.count} samples`);
    for await (const { inputs } of samples.batches({ size: 1 })) {
      await check();
      classes[at++] = largest(toNumbers((await executor.run(inputs)).get(output)!));
    }
    return classes;
  } finally {
    await executor.close();
  }
}

/** Samples per run, where the model leaves it open. */
const BATCH = 64;

/** Classes that onnxruntime finds; a model with a fixed batch leaves out samples that do not fill one. */
async function classesByReference(
  graph: Graph,
  samples: Dataset,
  evaluate: Evaluate,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const fixed = graph.inputs.map((name) => graph.values.get(name)?.shape?.[0]).find((dim) => typeof dim === 'number');
  const size = (fixed as number | undefined) ?? BATCH;
  const [output] = graph.outputs;
  const classes: number[] = [];
  const check = interruptCheck(signal, () => `validation after ${classes.length} of ${samples.count} samples`);
  for await (const { count, inputs } of samples.batches({ size })) {
    await check();
    if (fixed !== undefined && count < size) break;
    const values = toNumbers((await evaluate(graph, inputs, [output])).get(output)!);
    const each = values.length / count;
    for (let n = 0; n < count; n++) classes.push(largest(values.slice(n * each, (n + 1) * each)));
  }
  return Int32Array.from(classes);
}
