import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Dim, Graph } from '../../../lib/ir/graph';
import { elementCount, type Tensor, tensorOf } from '../../../lib/ir/tensor';
import { inferShapes } from '../../../lib/passes/infer-shapes';

/** Normal random tensor times `scale`. */
export function randomTensor(rng: Rng, dims: readonly number[], scale = 1): Tensor {
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => rng.normal() * scale),
  );
}

/** A builder with the layers that the tests need; weights are random but reproducible. */
export class NetworkBuilder extends GraphBuilder {
  private readonly rng = new Rng(1);

  /** Conv with a 3x3 kernel and padding; named like its output. */
  conv(
    name: string,
    input: string,
    channels: number,
    filters: number,
    options: { group?: number; bias?: boolean } = {},
  ) {
    const { group = 1, bias = true } = options;
    const perGroup = channels / group;
    const weight = this.initializer(
      randomTensor(this.rng, [filters, perGroup, 3, 3], 0.5 / Math.sqrt(perGroup)),
      `${name}_w`,
    );
    const inputs = [input, weight];
    if (bias) inputs.push(this.initializer(randomTensor(this.rng, [filters], 0.2), `${name}_b`));
    return this.node('Conv', inputs, { pads: [1, 1, 1, 1], group }, { outputs: [name] });
  }

  /** Gemm with bias; named like its output. */
  dense(name: string, input: string, channels: number, outputs: number) {
    const weight = this.initializer(randomTensor(this.rng, [channels, outputs], 1 / Math.sqrt(channels)), `${name}_w`);
    return this.node(
      'Gemm',
      [input, weight, this.initializer(randomTensor(this.rng, [outputs], 0.2), `${name}_b`)],
      {},
      { outputs: [name] },
    );
  }

  /** One-input node named like its output. */
  apply(op: string, name: string, input: string, attributes: Parameters<GraphBuilder['node']>[2] = {}) {
    return this.node(op, [input], attributes, { outputs: [name] });
  }

  /** The graph with these outputs and all types inferred. */
  finish(...outputs: string[]): Graph {
    for (const output of outputs) this.output(output, 'float32', undefined);
    const graph = this.build();
    // Output types are inferred like all others.
    return inferShapes({ ...graph, values: new Map([...graph.values].filter(([name]) => graph.inputs.includes(name))) })
      .graph;
  }
}

/** Builder with one image input `x` `[N, channels, 8, 8]`. */
export function imageNetwork(channels = 3, batch: Dim = 'N'): NetworkBuilder {
  const builder = new NetworkBuilder({ name: 'net' });
  builder.input('x', 'float32', [batch, channels, 8, 8]);
  return builder;
}

/** conv1 -> relu -> depthwise -> relu -> conv2 + shortcut -> relu -> pool -> flatten -> dense -> softmax. */
export function residualNetwork(): Graph {
  const net = imageNetwork();
  const stem = net.apply('Relu', 'relu1', net.conv('conv1', 'x', 3, 8));
  const depthwise = net.apply('Relu', 'relu2', net.conv('depthwise', stem, 8, 8, { group: 8 }));
  const sum = net.node('Add', [net.conv('conv2', depthwise, 8, 8), stem], {}, { outputs: ['sum'] });
  const pooled = net.apply('GlobalAveragePool', 'pooled', net.apply('Relu', 'relu3', sum));
  const logits = net.dense('dense', net.apply('Flatten', 'flat', pooled), 8, 5);
  return net.finish(net.apply('Softmax', 'probabilities', logits));
}

/** `count` random images for the input `x` of an image network. */
export function randomImages(count: number, channels = 3, seed = 5): Dataset {
  return datasetFromTensors('memory', new Map([['x', randomTensor(new Rng(seed), [count, channels, 8, 8])]]));
}
