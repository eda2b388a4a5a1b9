import { z } from 'zod';
import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import { Rng } from '../../core/rng';
import type { Dataset } from '../../ir/dataset';
import type { Evaluate, Graph } from '../../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { bindShapes } from '../../passes/infer-shapes';
import { adam } from '../../train/adam';
import { type LossBuilder, weightedSum } from '../../train/losses';
import { cosine } from '../../train/schedules';
import { train } from '../../train/train';
import { classTargets, smoothness, statisticsDistance, statisticsNodes } from './synthesis-losses';

/** How images are made from a network alone. */
export const synthesisOptions = z.strictObject({
  count: z.number().int().min(1).default(64).describe('images to make'),
  batchSize: z.number().int().min(2).default(64).describe('images that together are to have the statistics'),
  steps: z.number().int().min(1).default(500).describe('steps of Adam per batch'),
  learningRate: z.number().positive().default(0.1).describe('largest step of a pixel, in deviations'),
  seed: z.number().int().min(0).default(1).describe('decides the noise that the images begin with'),
  mean: z.number().default(0).describe('mean of the noise: that of prepared inputs'),
  deviation: z.number().positive().default(1).describe('standard deviation of the noise'),
  classWeight: z.number().min(0).default(0).describe('weight of the cross-entropy with classes in turn'),
  smoothness: z.number().min(0).default(0).describe('weight of the mean squared difference of neighbouring pixels'),
});
export type SynthesisOptions = z.output<typeof synthesisOptions>;

/** Made images. */
export interface Synthesis {
  /** The images `[count, ...]` per input of the graph. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Loss of the noise and of the images, mean over the batches. */
  readonly loss: { readonly before: number; readonly after: number };
}

/** What `synthesizeImages` needs besides graph and options. */
export interface SynthesisContext {
  readonly evaluate: Evaluate;
  /** Steps done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Inputs for a network without any data: noise that gradient descent has changed until every BatchNormalization finds in the
 * batch the mean and deviation that it remembers of the training samples (ZeroQ, Cai et al. 2020, equation 3; DeepInversion, Yin
 * et al. 2020). They serve as calibration samples, and as samples for training under a teacher. `graph` is prepared with
 * BatchNormalization kept; its first input axes are one symbol. The same seed gives the same bytes.
 * @throws E_GRAPH_INVALID when there are no statistics or the inputs are not float32 with a free batch; what `train` throws
 */
export async function synthesizeImages(
  graph: Graph,
  options: SynthesisOptions,
  { evaluate, onProgress, signal }: SynthesisContext,
): Promise<Synthesis> {
  const { count, batchSize, steps, seed, learningRate, deviation } = options;
  const shapes = inputShapes(graph, batchSize);
  const bound = bindShapes(graph, symbolsToBind(graph, batchSize));
  const loss = lossOf(graph, options, batchSize);
  const rng = new Rng(seed);
  const batches = Math.ceil(count / batchSize);
  const made = new Map([...shapes].map(([name, dims]) => [name, new Float32Array(batches * elementCount(dims))]));
  const [before, after] = [[] as number[], [] as number[]];
  for (let batch = 0; batch < batches; batch++) {
    const noise = [...shapes].map(([name, dims]) => [name, noiseOf(rng, dims, options)] as const);
    const initializers = new Map([...bound.initializers, ...noise]);
    const trained = await train(
      { ...bound, inputs: [], initializers },
      nothing(steps),
      {
        epochs: 1,
        batchSize: 1,
        seed,
        loss,
        trainable: [...shapes.keys()],
        learningRate: cosine(learningRate * deviation),
        optimizer: adam(),
        batchNorm: 'frozen',
        ...(signal && { signal }),
        onProgress: ({ step, loss: reached }) => {
          if (step === 1) before.push(reached);
          if (step === steps) after.push(reached);
          onProgress?.(batch * steps + step, batches * steps);
        },
      },
      evaluate,
    );
    for (const [name, dims] of shapes)
      made.get(name)!.set(viewAs(trained.initializers.get(name)!, 'float32'), batch * elementCount(dims));
  }
  const inputs = [...shapes].map(([name, [, ...dims]]) => {
    const images = made.get(name)!.slice(0, count * elementCount(dims));
    return [name, tensorOf('float32', [count, ...dims], images)] as const;
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { inputs: new Map(inputs), loss: { before: mean(before), after: mean(after) } };
}

function lossOf(graph: Graph, options: SynthesisOptions, batchSize: number): LossBuilder {
  const nodes = statisticsNodes(graph);
  if (nodes.length === 0)
    throw invalid(
      'no-statistics',
      'graph',
      'expected BatchNormalization nodes with statistics, found none; give the model as it was before they were folded away',
    );
  const parts = [
    { loss: statisticsDistance(graph, nodes), weight: 1 },
    { loss: classTargets(batchSize), weight: options.classWeight },
    ...graph.inputs.map((input) => ({ loss: smoothness(input), weight: options.smoothness })),
  ];
  return weightedSum(parts.filter(({ weight }) => weight > 0));
}

/** Shape of a batch of each input. */
function inputShapes(graph: Graph, batchSize: number): ReadonlyMap<string, readonly number[]> {
  return new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      const [batch, ...dims] = shape ?? [];
      if (type === 'float32' && typeof batch === 'string' && dims.every((dim) => typeof dim === 'number'))
        return [name, [batchSize, ...(dims as number[])]];
      const found = `${type}[${shape?.join(', ') ?? '...'}]`;
      throw invalid('input-form', name, `expected a float32 input [N, numbers...], found ${found}`);
    }),
  );
}

function symbolsToBind(graph: Graph, batchSize: number): Record<string, number> {
  return Object.fromEntries(graph.inputs.map((name) => [graph.values.get(name)!.shape![0], batchSize]));
}

function noiseOf(rng: Rng, dims: readonly number[], { mean, deviation }: SynthesisOptions): Tensor {
  const noise = Float32Array.from({ length: elementCount(dims) }, () => mean + deviation * rng.normal());
  return tensorOf('float32', dims, noise);
}

/** As many samples of nothing as there are steps: the images are what is trained. */
function nothing(steps: number): Dataset {
  const none: Dataset = {
    name: 'no samples',
    count: steps,
    hasLabels: false,
    inputs: new Map(),
    async *batches({ skip = 0 }) {
      for (let step = skip; step < steps; step++) yield { count: 1, inputs: new Map(), labels: undefined };
    },
    select: ({ length }) => nothing(length),
  };
  return none;
}

function invalid(kind: string, where: string, message: string): HoneError {
  return new HoneError('E_GRAPH_INVALID', {
    diagnostics: formatDiagnostics([{ severity: 'error', kind, where, message }]),
  });
}
