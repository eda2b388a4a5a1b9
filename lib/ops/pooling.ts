import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import type { Dim, Node, ValueType } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { knownDims } from './dims';
import type { Cost } from './operator';
import { AUTO_PAD, problem } from './schema';
import { checkWindow, inferSpatial, resolveSpatial, type Spatial } from './spatial';

/** Attributes that MaxPool and AveragePool share. */
export const POOL_ATTRIBUTES = {
  auto_pad: AUTO_PAD,
  ceil_mode: { kind: 'int' },
  dilations: { kind: 'ints' },
  kernel_shape: { kind: 'ints', required: true },
  pads: { kind: 'ints' },
  strides: { kind: 'ints' },
} as const;

/** Output shape of a pooling node over `[N, C, spatial...]`; undefined when the rank is unknown. */
export function inferPool(node: Node, x: ValueType): readonly Dim[] | undefined | Diagnostic {
  const kernel = attribute(node, 'kernel_shape', 'ints');
  if (!x.shape) return undefined;
  const rank = x.shape.length - 2;
  if (rank < 1) return problem(node, 'shape-mismatch', `expected an input of rank >= 3, found [${x.shape}]`);
  const wrong = checkWindow(node, rank, kernel);
  if (wrong) return problem(node, 'window', wrong);
  const spatial = inferSpatial(node, x.shape.slice(2), kernel);
  if (spatial.some((extent) => typeof extent === 'number' && extent < 1))
    return problem(node, 'window', `the kernel [${kernel}] does not fit into the input [${x.shape}]`);
  return [x.shape[0], x.shape[1], ...spatial];
}

/** Windows of a pooling node over an input with known extents. */
export function poolSpatial(node: Node, dims: readonly number[]): Spatial {
  return resolveSpatial(node, dims.slice(2), attribute(node, 'kernel_shape', 'ints'));
}

/** Windows that the engine can run (one to three spatial axes, known extents), or why not. */
export function lowerPool(node: Node, x: ValueType | undefined): Spatial | Diagnostic {
  const dims = knownDims(x?.shape);
  if (!dims) return problem(node, 'symbolic-shape', 'expected known shapes');
  if (dims.length < 3 || dims.length > 5)
    return problem(node, 'rank', `expected one to three spatial axes, found ${dims.length - 2}`);
  return poolSpatial(node, dims);
}

/** One element operation per window element. */
export function poolCost(node: Node, y: ValueType): Cost {
  const taps = elementCount(attribute(node, 'kernel_shape', 'ints'));
  return { macs: 0, elementOps: elementCount(y.shape as readonly number[]) * taps };
}

/** Whether windows tile the input: no overlap, no gap, no padding, no dilation (a rest at the end may stay outside). */
export function tilesInput(spatial: Spatial): boolean {
  const { kernel, strides, dilations, padsBegin, output, input } = spatial;
  return kernel.every(
    (extent, axis) =>
      extent === strides[axis] &&
      dilations[axis] === 1 &&
      padsBegin[axis] === 0 &&
      output[axis] * extent <= input[axis],
  );
}
