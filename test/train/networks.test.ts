import { buildLenet5 } from '../../bench/demo/lenet5';
import { buildResNet8 } from '../../bench/training/resnet8';
import { Rng } from '../../lib/core/rng';
import { typeOf } from '../../lib/ir/edit';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, viewAs } from '../../lib/ir/tensor';
import { bindShapes } from '../../lib/passes/infer-shapes';
import { openReference } from '../../lib/reference/session';
import { differentiate } from '../../lib/train/differentiate';
import { crossEntropy, LABELS } from '../../lib/train/losses';
import { buildLoss, type LossGraph } from '../../lib/train/step';
import { trainableParameters } from '../../lib/train/trainable';

const BATCH = 4;

/** Length of the step along a parameter's gradient, as part of the parameter's (or, of zeros, of 1). */
const STEP = 3e-3;

/** What stands for operators with kinks. */
const SMOOTH: Readonly<Record<string, string>> = { Relu: 'Tanh', MaxPool: 'AveragePool' };

/** The net in training mode without kinks, a loss behind it, and its parameters as inputs. */
function smoothLoss(graph: Graph, parameters: readonly string[]): { graph: Graph; loss: string } {
  const nodes = graph.nodes.map((node) => ({ ...node, op: SMOOTH[node.op] ?? node.op }));
  const bound = bindShapes({ ...graph, nodes }, { N: BATCH });
  const built = buildLoss(bound, crossEntropy(), { batchNorm: true, dropout: false }) as LossGraph;
  const values = new Map(built.graph.values);
  for (const name of parameters) values.set(name, typeOf(built.graph, name)!);
  const initializers = new Map([...built.graph.initializers].filter(([name]) => !parameters.includes(name)));
  const inputs = [...built.graph.inputs, ...parameters];
  return { graph: { ...built.graph, inputs, initializers, values }, loss: built.loss };
}

/** Normal numbers for images, classes for labels, and the graph's own values for the rest. */
function drawFeeds(net: Graph, graph: Graph): Map<string, Tensor> {
  const rng = new Rng(4);
  return new Map(
    graph.inputs.map((name) => {
      const dims = typeOf(graph, name)!.shape as readonly number[];
      const draw = (next: () => number) => Array.from({ length: elementCount(dims) }, next);
      if (name === LABELS)
        return [
          name,
          tensorFrom(
            'int32',
            dims,
            draw(() => rng.integer(0, 9)),
          ),
        ];
      return [
        name,
        net.initializers.get(name) ??
          tensorFrom(
            'float32',
            dims,
            draw(() => rng.normal()),
          ),
      ];
    }),
  );
}

const length = (data: Float32Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));

test.each([
  ['LeNet-5', buildLenet5(2)],
  ['ResNet-8 with statistics of the batch', buildResNet8(2)],
])('%s, smooth: the loss moves along every parameter as its float32 gradient says, within 3 %%', async (_, net) => {
  const parameters = trainableParameters(net);
  const { graph, loss } = smoothLoss(net, parameters);
  const result = differentiate(graph, loss, parameters);
  if (!('graph' in result)) throw new Error(JSON.stringify(result));
  await using session = await openReference(result.graph);
  const feeds = drawFeeds(net, graph);
  const values = await session.run(feeds);
  const wrong: unknown[] = [];
  for (const name of parameters) {
    const [start, gradient] = [feeds.get(name)!, values.get(result.gradients.get(name)!)!];
    const [from, slope] = [viewAs(start, 'float32'), viewAs(gradient, 'float32')];
    const step = (STEP * (length(from) || 1)) / length(slope);
    const lossAt = async (by: number) => {
      const moved = from.map((value, i) => value + by * slope[i]);
      const changed = new Map([...feeds, [name, tensorOf('float32', start.dims, moved)]]);
      return viewAs((await session.run(changed, [loss])).get(loss)!, 'float32')[0];
    };
    const ratio = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step * length(slope) ** 2);
    if (!(Math.abs(ratio - 1) <= 0.03)) wrong.push({ name, ratio });
  }
  expect(wrong).toEqual([]);
});
