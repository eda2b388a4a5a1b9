import { Rng } from '../../lib/core/rng';
import type { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Attribute, Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, type ViewType } from '../../lib/ir/tensor';

/** One node with inputs, for comparison with onnxruntime. */
export interface OpCase {
  readonly op: string;
  /** What is special about it. */
  readonly title: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Parameters<typeof attributes>[0];
  /** Number of outputs to compare; 1 when left out. */
  readonly outputs?: number;
  /** Opset of the node; the dialect's when left out. */
  readonly opset?: number;
  /** Allowed difference, relative to the largest expected value (at least 1); 0 for exact results. 1e-5 when left out. */
  readonly tolerance?: number;
  readonly domain?: string;
}

/** The case as a graph: inputs `in0`, `in1`, ..., outputs `out0`, `out1`, ... of unknown type. */
export function graphOf({ op, inputs, attributes, outputs = 1, opset = 21, domain = '' }: OpCase): Graph {
  const builder = new GraphBuilder({ opset });
  const names = inputs.map((tensor, index) => {
    if (!tensor) return '';
    return builder.input(`in${index}`, tensor.type, tensor.dims);
  });
  const made = Array.from({ length: outputs }, (_, index) => `out${index}`);
  for (const name of builder.nodes(op, names, outputs, attributes, { outputs: made, domain })) builder.output(name);
  return builder.build();
}

/** Numbers in (-1, 1) that depend only on shape and seed. */
export function uniform(dims: readonly number[], seed = 1): Tensor {
  const rng = new Rng(seed);
  return tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, () => 2 * rng.uniform() - 1),
  );
}

/** Integers in [low, high] that depend only on shape and seed. */
export function integers(type: ViewType, dims: readonly number[], low: number, high: number, seed = 1): Tensor {
  const rng = new Rng(seed);
  return tensorFrom(
    type,
    dims,
    Array.from({ length: elementCount(dims) }, () => rng.integer(low, high)),
  );
}

/** float32 tensor from its elements; one-dimensional unless `dims` is given. */
export function floats(values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return tensorFrom('float32', dims, values);
}

/** Attribute with a float value (plain numbers are ints). */
export function float(value: number): Attribute {
  return { kind: 'float', value };
}
