import { integers, type OpCase, uniform } from '../op-case';

const image = uniform([2, 3, 9, 8]);

function pool(
  op: 'MaxPool' | 'AveragePool' | 'LpPool',
  title: string,
  attributes: OpCase['attributes'],
  x = image,
): OpCase {
  return { op, title, attributes, inputs: [x] };
}

/** Windows that both pooling operators understand alike. */
const WINDOWS: readonly (readonly [title: string, attributes: NonNullable<OpCase['attributes']>])[] = [
  ['tiles', { kernel_shape: [2, 2], strides: [2, 2] }],
  ['overlap and uneven pads', { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 2, 1] }],
  ['dilation', { kernel_shape: [2, 3], dilations: [3, 2], pads: [1, 1, 1, 1] }],
  ['ceil_mode', { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 }],
  ['ceil_mode that drops the last window', { kernel_shape: [2, 2], strides: [3, 3], pads: [0, 0, 1, 1], ceil_mode: 1 }],
  ['SAME_UPPER', { kernel_shape: [3, 3], strides: [2, 3], auto_pad: 'SAME_UPPER' }],
  ['SAME_LOWER', { kernel_shape: [3, 3], strides: [2, 3], auto_pad: 'SAME_LOWER' }],
  ['VALID', { kernel_shape: [4, 3], strides: [2, 2], auto_pad: 'VALID' }],
];

const volume = uniform([2, 3, 5, 4, 6]);

/** Windows over volumes. */
const VOLUMES: readonly NonNullable<OpCase['attributes']>[] = [
  { kernel_shape: [2, 2, 3], strides: [2, 1, 2] },
  { kernel_shape: [3, 2, 2], pads: [1, 0, 1, 1, 1, 0] },
  { kernel_shape: [2, 3, 2], strides: [2, 2, 3], pads: [1, 1, 0, 0, 1, 1], ceil_mode: 1 },
  { kernel_shape: [2, 2, 2], dilations: [2, 1, 3] },
  { kernel_shape: [3, 3, 3], strides: [2, 2, 2], auto_pad: 'SAME_LOWER' },
];

/** MaxPool, AveragePool and the global pools. */
export const POOLS: readonly OpCase[] = [
  ...WINDOWS.flatMap(([title, attributes]) => [
    pool('MaxPool', title, attributes),
    pool('AveragePool', title, attributes),
    pool('AveragePool', `${title}, padding counts`, { ...attributes, count_include_pad: 1 }),
  ]),
  ...VOLUMES.flatMap((attributes, index) => [
    pool('MaxPool', `three spatial axes, ${index}`, attributes, volume),
    pool('AveragePool', `three spatial axes, ${index}`, attributes, volume),
    pool(
      'AveragePool',
      `three spatial axes, padding counts, ${index}`,
      { ...attributes, count_include_pad: 1 },
      volume,
    ),
  ]),
  ...[1, 2, 3].map((p) =>
    pool('LpPool', `power ${p}`, { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], p }),
  ),
  pool('LpPool', 'one spatial axis', { kernel_shape: [3], strides: [2] }, uniform([2, 3, 11])),
  pool('LpPool', 'three spatial axes', { kernel_shape: [2, 2, 3], pads: [1, 0, 0, 0, 1, 1] }, volume),
  { op: 'GlobalLpPool', title: 'plane', inputs: [image] },
  { op: 'GlobalLpPool', title: 'power 3 of a row', inputs: [uniform([2, 3, 7])], attributes: { p: 3 } },
  { op: 'GlobalLpPool', title: 'volume', inputs: [volume] },
  { ...pool('MaxPool', 'indices', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }), outputs: 2 },
  { ...pool('MaxPool', 'column-major indices', { kernel_shape: [2, 2], storage_order: 1 }), outputs: 2 },
  pool('MaxPool', 'one spatial axis', { kernel_shape: [3], strides: [2], pads: [1, 1] }, uniform([2, 3, 11])),
  pool('MaxPool', 'bytes', { kernel_shape: [2, 2], pads: [1, 1, 1, 1] }, integers('uint8', [1, 2, 5, 5], 0, 255)),
  pool('MaxPool', 'three spatial axes', { kernel_shape: [2, 2, 2] }, uniform([1, 2, 4, 3, 5])),
  pool('AveragePool', 'padding counts', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  pool('AveragePool', 'one spatial axis', { kernel_shape: [3], pads: [1, 1] }, uniform([2, 3, 11])),
  { op: 'GlobalAveragePool', title: 'plane', inputs: [image] },
  { op: 'GlobalAveragePool', title: 'row', inputs: [uniform([2, 3, 7])] },
  { op: 'GlobalAveragePool', title: 'volume', inputs: [volume] },
  { op: 'GlobalMaxPool', title: 'plane', inputs: [image] },
  { op: 'GlobalMaxPool', title: 'row', inputs: [uniform([2, 3, 7])] },
  { op: 'GlobalMaxPool', title: 'volume', inputs: [volume] },
];
