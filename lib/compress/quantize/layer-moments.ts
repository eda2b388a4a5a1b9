import { GraphBuilder } from '../../ir/builder';
import type { Dataset } from '../../ir/dataset';
import type { Evaluate, Graph } from '../../ir/graph';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../../ir/tensor';
import { feedsOf } from '../feeds';
import type { ProductLayer } from '../layer-inputs';
import { chooser } from '../second-moment';
import type { Runner } from './calibrate';

/**
 * What the squared error of a layer depends on: sums over rows `x` of the quantized network and `y = w x'` of the float one,
 * where `x'` are the same rows there. All but `rows` are row-major per group.
 */
export interface LayerMoments {
  readonly rows: number;
  /** Sums of `x x^T`: `[groups, columns, columns]`. */
  readonly inputs: Float64Array;
  /** Sums of `x y^T`: `[groups, columns, units]`. */
  readonly cross: Float64Array;
  /** Sums of `x`: `[groups, columns]`, and of `y`: `[groups, units]`. */
  readonly inputSums: Float64Array;
  readonly targetSums: Float64Array;
  /** Sums of `y^2`: `[groups, units]`. */
  readonly targetPower: Float64Array;
}

/** Rows per sample that moments are made of; more of one picture tell little more. */
const ROWS_PER_SAMPLE = 256;
const NAMES = ['inputs', 'cross', 'input_sums', 'target_sums', 'target_power'] as const;

/** One network to take a layer's input from. */
export interface InputSource {
  readonly graph: Graph;
  /** Name of the layer's input there. */
  readonly value: string;
}

/**
 * Sums over the rows of one layer, with the inputs of both networks side by side. The products are made by `evaluate`.
 * @throws E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function layerMoments(
  layer: ProductLayer,
  weights: Tensor,
  sources: { readonly float: InputSource; readonly quantized: InputSource },
  dataset: Dataset,
  runner: Runner,
): Promise<LayerMoments> {
  const { groups, units, columns } = layer;
  const choose = chooser(layer, { rowsPerSample: ROWS_PER_SAMPLE });
  const transposed = transposeWeights(layer, layer.matrix(weights));
  const sizes = [columns * columns, columns * units, columns, units, units];
  const sums = sizes.map((size) => new Float64Array(groups * size));
  let rows = 0;
  for await (const { inputs } of feedsOf(sources.float.graph, dataset, runner.signal)) {
    const [float, quantized] = await Promise.all(
      [sources.float, sources.quantized].map((source) => tensorAt(source, inputs, runner.evaluate)),
    );
    const chosen = choose(float.dims);
    const count = chosen?.length ?? layer.rowsIn(float.dims);
    const rowsOf = ({ dims, ...tensor }: Tensor) =>
      tensorOf('float32', [groups, count, columns], layer.rows(viewAs({ dims, ...tensor }, 'float32'), dims, chosen));
    const feeds = new Map([
      ['x', rowsOf(quantized)],
      ['reference', rowsOf(float)],
      ['weights', transposed],
    ]);
    const results = await runner.evaluate(MOMENTS, feeds, NAMES);
    NAMES.forEach((name, index) => {
      const part = viewAs(results.get(name)!, 'float32');
      for (let i = 0; i < part.length; i++) sums[index][i] += part[i];
    });
    rows += count;
  }
  const [inputSquares, cross, inputSums, targetSums, targetPower] = sums;
  return { rows, inputs: inputSquares, cross, inputSums, targetSums, targetPower };
}

async function tensorAt(
  { graph, value }: InputSource,
  inputs: ReadonlyMap<string, Tensor>,
  evaluate: Evaluate,
): Promise<Tensor> {
  return inputs.get(value) ?? graph.initializers.get(value) ?? (await evaluate(graph, inputs, [value])).get(value)!;
}

/** `[groups, units, columns]` as `[groups, columns, units]`. */
function transposeWeights({ groups, units, columns }: ProductLayer, matrix: Float32Array): Tensor {
  const data = new Float32Array(matrix.length);
  for (let g = 0; g < groups; g++)
    for (let u = 0; u < units; u++)
      for (let c = 0; c < columns; c++) data[(g * columns + c) * units + u] = matrix[(g * units + u) * columns + c];
  return tensorOf('float32', [groups, columns, units], data);
}

/** All products of one batch; one graph serves layers of all sizes. */
const MOMENTS: Graph = momentsGraph();

function momentsGraph(): Graph {
  const builder = new GraphBuilder({ name: 'moments' });
  builder.input('x', 'float32', ['G', 'R', 'K']);
  builder.input('reference', 'float32', ['G', 'R', 'K']);
  builder.input('weights', 'float32', ['G', 'K', 'U']);
  const rows = builder.initializer(tensorFrom('int64', [1], [1]), 'rows');
  const transposed = builder.node('Transpose', ['x'], { perm: [0, 2, 1] });
  const target = builder.node('MatMul', ['reference', 'weights']);
  const named = (op: string, inputs: readonly string[], name: (typeof NAMES)[number]) => {
    const attributes = op === 'MatMul' ? {} : { keepdims: 0 };
    builder.output(builder.node(op, inputs, attributes, { outputs: [name] }), 'float32', undefined);
  };
  named('MatMul', [transposed, 'x'], 'inputs');
  named('MatMul', [transposed, target], 'cross');
  named('ReduceSum', ['x', rows], 'input_sums');
  named('ReduceSum', [target, rows], 'target_sums');
  named('ReduceSumSquare', [target, rows], 'target_power');
  return builder.build();
}
