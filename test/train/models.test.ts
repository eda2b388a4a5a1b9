import { Rng } from '../../lib/core/rng';
import { typeOf } from '../../lib/ir/edit';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf } from '../../lib/ir/tensor';
import { readModelFile } from '../../lib/onnx/read-model';
import { isFloat, toDense } from '../../lib/ops/dense';
import { inferShapes, symbolsOf } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { openReference } from '../../lib/reference/session';
import { differentiate } from '../../lib/train/differentiate';
import { createEmitter } from '../../lib/train/emitter';
import { trainableParameters } from '../../lib/train/trainable';
import { dataPath, describeWithData, MODELS } from '../data';

/** The model for training with every symbolic extent 2, its parameters as inputs, and a random combination of its outputs. */
async function trainingForm(model: string): Promise<{ graph: Graph; loss: string; parameters: Map<string, Tensor> }> {
  const read = await readModelFile(dataPath('models', `${model}.onnx`));
  const shapes = Object.fromEntries(symbolsOf(read).map((symbol) => [symbol, 2]));
  const { graph } = prepare(read, { batchNorm: 'keep', shapes });
  const tables = graph.nodes.filter(({ op }) => op === 'Gather').map(({ inputs }) => inputs[0]);
  const embeddings = tables.filter((name) => graph.initializers.get(name)?.type === 'float32');
  const names = [...new Set([...trainableParameters(graph), ...embeddings])];
  const parameters = new Map(names.map((name) => [name, graph.initializers.get(name)!]));
  const lifted = inferShapes({
    ...graph,
    inputs: [...graph.inputs, ...names],
    initializers: new Map([...graph.initializers].filter(([name]) => !parameters.has(name))),
    values: new Map([...graph.values, ...names.map((name) => [name, typeOf(graph, name)!] as const)]),
  }).graph;
  const emit = createEmitter(lifted);
  const rng = new Rng(5);
  const parts = lifted.outputs
    .filter((output) => isFloat(emit.typeOf(output).type))
    .map((output) => {
      const count = elementCount(emit.typeOf(output).shape as number[]);
      const weights = Array.from({ length: count }, () => rng.uniform() - 0.5);
      const row = emit.node('Reshape', [output, emit.constant(tensorFrom('int64', [2], [1, count]))]);
      return emit.node('MatMul', [row, emit.constant(tensorFrom('float32', [count, 1], weights))]);
    });
  const loss = emit.node('Sum', parts);
  return { graph: emit.build([loss]), loss, parameters };
}

function randomFeeds(graph: Graph, known: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const rng = new Rng(3);
  return new Map(
    graph.inputs.map((name) => {
      const { type, shape } = graph.values.get(name)!;
      const draw = () => (isFloat(type) ? rng.uniform() : rng.integer(0, 255));
      const dims = shape as number[];
      const values = () => Array.from({ length: elementCount(dims) }, draw);
      return [name, known.get(name) ?? tensorFrom(type as 'float32', dims, values())];
    }),
  );
}

const numbers = (tensor: Tensor) => toDense(tensor, 'float32').data;

/**
 * Steps along the gradient, as parts of the length of all parameters. Networks with kinks need short ones, rounding to float32
 * spoils the shortest: one of them has to fit.
 */
const STEPS = [1e-5, 1e-4, 1e-6, 3e-7];

describeWithData('gradients of the real models', () => {
  test.each(MODELS)(
    '%s: exist for every parameter, and the loss grows along them by |g|^2 within 3 %%',
    async (model) => {
      const { graph, loss, parameters } = await trainingForm(model);
      const result = differentiate(graph, loss, [...parameters.keys()]);
      if (!('graph' in result)) throw new Error(JSON.stringify(result));

      await using session = await openReference(result.graph);
      const feeds = randomFeeds(graph, parameters);
      const values = await session.run(feeds);
      const gradients = new Map([...parameters.keys()].map((name) => [name, values.get(result.gradients.get(name)!)!]));
      const gradientSquare = squares(gradients.values());
      const lossAt = async (step: number) => {
        const moved = [...gradients].map(
          ([name, gradient]) => [name, plus(parameters.get(name)!, gradient, step)] as const,
        );
        return numbers((await session.run(new Map([...feeds, ...moved]), [loss])).get(loss)!)[0];
      };
      const misses: number[] = [];
      for (const part of STEPS) {
        const step = part * Math.sqrt(squares(parameters.values()) / gradientSquare);
        const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        if (Math.abs(slope / gradientSquare - 1) < 0.03) return;
        misses.push(slope / gradientSquare);
      }
      throw new Error(`slope over |g|^2 for steps ${STEPS}: expected 1 for one of them, found ${misses}`);
    },
  );
});

function squares(tensors: Iterable<Tensor>): number {
  let sum = 0;
  for (const tensor of tensors) for (const value of numbers(tensor)) sum += value * value;
  return sum;
}

function plus(tensor: Tensor, gradient: Tensor, step: number): Tensor {
  const change = numbers(gradient);
  return tensorOf(
    'float32',
    tensor.dims,
    Float32Array.from(numbers(tensor), (value, i) => value + step * change[i]),
  );
}
