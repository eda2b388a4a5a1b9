import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { float, floats, integers, type OpCase, uniform } from '../ops/op-case';
import type { GradientCase } from './gradient-cases';

type Values = readonly number[];

function ints(values: Values, dims: Values = [values.length]): Tensor {
  return tensorFrom('int64', dims, values);
}

function slice(title: string, dims: Values, starts: Values, ends: Values, axes?: Values, steps?: Values): GradientCase {
  const given = [starts, ends, axes, steps].map((values) => values && ints(values));
  return { op: 'Slice', title, inputs: [uniform(dims), ...given] };
}

function pad(mode: string, title: string, dims: Values, pads: Values, axes?: Values): GradientCase {
  const value = mode === 'constant' ? floats([0.3], []) : undefined;
  return {
    op: 'Pad',
    title: `${mode}, ${title}`,
    attributes: { mode },
    inputs: [uniform(dims), ints(pads), value, axes && ints(axes)],
  };
}

function gather(title: string, dims: Values, indices: Tensor, axis = 0): GradientCase {
  return { op: 'Gather', title, attributes: { axis }, inputs: [uniform(dims), indices] };
}

function resize(title: string, dims: Values, scales: Values, attributes: OpCase['attributes']): GradientCase {
  return { op: 'Resize', title, attributes, inputs: [uniform(dims), undefined, floats(scales)], varied: 1 };
}

function resizeTo(title: string, dims: Values, sizes: Values, attributes: OpCase['attributes']): GradientCase {
  return { op: 'Resize', title, attributes, inputs: [uniform(dims), undefined, undefined, ints(sizes)] };
}

function concat(title: string, axis: number, varied?: number): GradientCase {
  return {
    op: 'Concat',
    title,
    attributes: { axis },
    inputs: [uniform([2, 3]), uniform([2, 1], 2), uniform([2, 2], 3)],
    varied,
  };
}

function split(
  title: string,
  attributes: OpCase['attributes'],
  lengths: Values | undefined,
  outputs: number,
  used?: number,
) {
  return {
    op: 'Split',
    title,
    attributes,
    inputs: [uniform([2, 5]), ...(lengths ? [ints(lengths)] : [])],
    outputs,
    used,
  };
}

function plain(
  op: string,
  dims: Values,
  second: Values | undefined,
  attributes: OpCase['attributes'] = {},
): GradientCase {
  return {
    op,
    title: `[${second ?? ''}] ${JSON.stringify(attributes)}`,
    attributes,
    inputs: [uniform(dims), ...(second ? [ints(second)] : [])],
  };
}

/** Gradients of operators that move, copy, cut out or interpolate elements. */
export const MOVE_GRADIENT_CASES: readonly GradientCase[] = [
  concat('all wanted', -1),
  concat('two wanted', 1, 2),
  split('lengths', { axis: -1 }, [2, 0, 3], 3),
  split('equal parts with a rest', { axis: 1, num_outputs: 2 }, undefined, 2),
  split('first part only', { axis: 1, num_outputs: 2 }, undefined, 2, 1),
  slice('one run', [4, 5], [1, -3], [3, 5]),
  slice('everything', [2, 3], [0], [9], [1]),
  slice('a column', [3, 4, 2], [2], [3], [1]),
  slice('steps', [2, 3, 6, 7], [0, 1], [6, 7], [2, 3], [2, 3]),
  slice('steps on an outer axis', [7, 2, 3], [1], [7], [0], [4]),
  slice('negative steps', [5, 6, 3], [4, -1], [0, -9], [0, 1], [-1, -2]),
  pad('constant', 'all axes', [2, 3], [1, 0, 2, 1]),
  pad('constant', 'crops', [4, 5], [-1, 2, 1, -2]),
  pad('constant', 'named axes', [2, 2, 3], [1, 2], [-1]),
  pad('reflect', 'two axes', [2, 3, 4], [0, 1, 3, 0, 2, 1]),
  pad('edge', 'two axes', [2, 3, 4], [0, 2, 1, 0, 1, 2]),
  pad('wrap', 'an axis', [3, 4], [0, 2, 0, 5]),
  gather('one index', [4, 3], ints([2], [])),
  gather('a run from behind', [4, 3], ints([-2, -1])),
  gather('evenly spaced backwards', [2, 7], ints([5, 3, 1]), 1),
  gather('repeated indices', [4, 3], ints([1, 3, 1, -1, 1, 0], [2, 3])),
  gather('int32, inner axis', [2, 4, 3], integers('int32', [3, 2], -4, 3), 1),
  gather('repeated indices of many', [200, 2], ints([199, -1, 7, 7, -193])),
  gather('last axis', [2, 3, 4], ints([0, 0, 2]), -1),
  {
    op: 'GatherElements',
    title: 'repeated',
    attributes: { axis: 1 },
    inputs: [uniform([3, 4]), integers('int64', [2, 6], -4, 3)],
  },
  { op: 'GatherND', title: 'slices', inputs: [uniform([3, 4, 2]), ints([0, 1, 2, -1, 0, 1], [3, 2])] },
  {
    op: 'GatherND',
    title: 'batch_dims',
    attributes: { batch_dims: 1 },
    inputs: [uniform([2, 4, 3]), ints([1, 1, 0, 3], [2, 2, 1])],
  },
  ...['none', 'add'].flatMap((reduction) => [
    {
      op: 'ScatterElements',
      title: reduction,
      attributes: { axis: 1, reduction },
      inputs: [uniform([3, 4]), ints([1, -1, 0, 2], [2, 2]), uniform([2, 2], 2)],
    },
    {
      op: 'ScatterND',
      title: reduction,
      attributes: { reduction },
      inputs: [uniform([4, 3]), ints([2, -4], [2, 1]), uniform([2, 3], 2)],
    },
  ]),
  {
    op: 'ScatterND',
    title: 'add, repeated',
    attributes: { reduction: 'add' },
    inputs: [uniform([4, 3]), ints([2, 2], [2, 1]), uniform([2, 3], 2)],
  },
  resize('whole nearest', [2, 2, 3, 2], [1, 1, 2, 3], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  }),
  resize('whole nearest, half_pixel, line', [2, 2, 3], [1, 1, 2], { mode: 'nearest' }),
  resize('fractional nearest', [1, 2, 4, 5], [1, 1, 1.5, 0.6], { mode: 'nearest' }),
  resize('linear', [1, 2, 3, 4], [1, 1, 2, 1.6], { mode: 'linear' }),
  resize('linear shrinking', [1, 2, 6, 4], [1, 1, 0.5, 0.5], {
    mode: 'linear',
    coordinate_transformation_mode: 'asymmetric',
  }),
  resize('channels', [2, 2, 3], [1, 3, 1], { mode: 'nearest' }),
  resize('cubic', [1, 1, 4, 4], [1, 1, 2, 1.5], { mode: 'cubic', cubic_coeff_a: float(-0.5), exclude_outside: 1 }),
  resizeTo('sizes', [1, 2, 3, 4], [1, 2, 5, 7], { mode: 'linear', coordinate_transformation_mode: 'align_corners' }),
  resizeTo('named axes', [1, 2, 3, 4], [6, 4], { mode: 'nearest', axes: [2, 3] }),
  plain('Expand', [3, 1], [2, 1, 4]),
  plain('Expand', [2, 3], [2, 3]),
  plain('Tile', [2, 3, 2], [2, 1, 3]),
  plain('DepthToSpace', [2, 12, 2, 3], undefined, { blocksize: 2 }),
  plain('DepthToSpace', [2, 12, 2, 3], undefined, { blocksize: 2, mode: 'CRD' }),
  plain('SpaceToDepth', [2, 3, 4, 6], undefined, { blocksize: 2 }),
  ...[0, 1].flatMap((exclusive) =>
    [0, 1].map((reverse) => ({
      op: 'CumSum',
      title: `exclusive ${exclusive}, reverse ${reverse}`,
      attributes: { exclusive, reverse },
      inputs: [uniform([2, 4, 2]), ints([1], [])],
    })),
  ),
  plain('Trilu', [2, 3, 4], undefined),
  plain('Trilu', [2, 4, 3], [-1], { upper: 0 }),
];
