import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CachedStep, RecipeContext, StepCache } from '../../../lib/compress/recipe/context';
import type { RecipeMethod } from '../../../lib/compress/recipe/methods';
import { HoneError } from '../../../lib/core/error';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { readModel } from '../../../lib/onnx/read-model';
import { writeModel } from '../../../lib/onnx/write-model';
import { datasetOf } from '../../train/digits';

/** A chain of `count` 2x2 Gemm nodes layer0, layer1, ... with distinct weights. */
export function chain(count: number): Graph {
  const builder = new GraphBuilder();
  let value = builder.input('x', 'float32', ['N', 2]);
  for (let k = 0; k < count; k++) {
    const weight = builder.initializer(tensorFrom('float32', [2, 2], [k + 1, 2, 3, 4]), `weight${k}`);
    value = builder.node('Gemm', [value, weight], {}, { name: `layer${k}`, outputs: [`y${k}`] });
  }
  builder.output(value, 'float32', ['N', 2]);
  return builder.build();
}

/** Layers of a chain whose weights are zero. */
export function zeroed(graph: Graph): string[] {
  return graph.nodes
    .filter(({ inputs }) => viewAs(graph.initializers.get(inputs[1])!, 'float32').every((value) => value === 0))
    .map(({ name }) => name);
}

/** Sets the weights of every layer to zero that it may touch; damage by the number in the layer's name. */
export const zeroLayers: RecipeMethod = {
  name: 'zero',
  summary: 'sets weights to zero',
  options: z.strictObject({ share: z.number().default(1), from: z.int().default(0) }),
  apply: async (graph: Graph, { from }: { from: number }, { keep }) => {
    const touched = graph.nodes.filter(({ name }) => !keep.has(name) && Number(name.slice(5)) >= from);
    const zeros = touched.map(({ inputs }) => [inputs[1], tensorOf('float32', [2, 2], new Float32Array(4))] as const);
    const decisions = graph.nodes.map(({ name }) => {
      const damage = Number(name.slice(5));
      return touched.some((node) => node.name === name)
        ? { layer: name, treatment: 'zeroed', reason: 'told to', damage }
        : { layer: name, treatment: 'left alone', reason: 'kept' };
    });
    return {
      graph: { ...graph, initializers: new Map<string, Tensor>([...graph.initializers, ...zeros]) },
      decisions,
      report: { layers: touched.length },
    };
  },
};

/**
 * Sets the weights of a share of the layers to zero, of the first that it may touch: others make up for those that it may not. The
 * damage of each is told.
 */
export function zeroSome(damages: readonly number[]): RecipeMethod {
  return {
    name: 'zero-some',
    summary: 'sets the weights of some layers to zero',
    options: z.strictObject({ share: z.number() }),
    apply: async (graph: Graph, { share }: { share: number }, { keep }) => {
      const free = graph.nodes.filter(({ name }) => !keep.has(name));
      const touched = free.slice(0, Math.round(share * graph.nodes.length));
      const zeros = touched.map(({ inputs }) => [inputs[1], tensorOf('float32', [2, 2], new Float32Array(4))] as const);
      return {
        graph: { ...graph, initializers: new Map<string, Tensor>([...graph.initializers, ...zeros]) },
        decisions: touched.map(({ name }) => ({
          layer: name,
          treatment: 'zeroed',
          reason: 'told to',
          damage: damages[Number(name.slice(5))],
        })),
        report: {},
      };
    },
    milder: ({ share }: { share: number }, part: number) => {
      const less = Number((share * part).toFixed(3));
      return { options: { share: less }, words: `share ${less} instead of ${share}` };
    },
    makesUp: () => true,
  };
}

/** Notes in the metadata that it was here: `score` may give points for it. */
export const heal: RecipeMethod = {
  name: 'heal',
  summary: 'wins accuracy back',
  options: z.strictObject({ points: z.number().default(10) }),
  apply: async (graph: Graph, { points }: { points: number }) => ({
    graph: { ...graph, metadata: new Map([...graph.metadata, ['healed', String(points)]]) },
    decisions: [],
    report: {},
  }),
};

/** Behaves like work that the signal ends. */
export const interrupted: RecipeMethod = {
  name: 'slow',
  summary: 'is interrupted',
  options: z.strictObject({}),
  apply: async () => {
    throw new HoneError('E_INTERRUPTED', { what: 'slow work' });
  },
};

/** A cache in memory; counts what came out of it. */
export function memoryCache(): StepCache & { readonly steps: Map<string, CachedStep>; hits: number } {
  const steps = new Map<string, CachedStep>();
  return {
    steps,
    hits: 0,
    async get(key) {
      const found = steps.get(key);
      if (found) this.hits++;
      return found;
    },
    async put(key, step) {
      steps.set(key, step);
    },
    checkpoints: () => ({ everySteps: 10, load: async () => undefined, save: async () => {} }),
  };
}

/** A context that scores a chain by what each zeroed layer costs, in points; healing gives points back. */
export function toyContext(costs: readonly number[], change: Partial<RecipeContext> = {}): RecipeContext {
  const data = datasetOf(new Float32Array(8), [2], new Int32Array(4));
  return {
    data: { training: data, calibration: data, validation: data },
    dataIdentity: 'toy',
    evaluate: async () => {
      throw new Error('nothing to run');
    },
    score: async (graph) => {
      const lost = zeroed(graph).reduce((sum, name) => sum + costs[Number(name.slice(5))], 0);
      return (90 - Math.max(0, lost - Number(graph.metadata.get('healed') ?? 0))) / 100;
    },
    seed: 1,
    goals: { tries: 8 },
    ignore: { names: [], types: [] },
    target: { isa: 'avx512vnni' },
    codec: { encode: writeModel, decode: (bytes) => readModel(bytes) },
    hash: (parts) => {
      const digest = createHash('sha256');
      for (const part of parts) digest.update(part);
      return digest.digest('hex');
    },
    version: 'test',
    cache: memoryCache(),
    ...change,
  };
}
