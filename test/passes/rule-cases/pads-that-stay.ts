import type { GraphBuilder } from '../../../lib/ir/builder';
import { type Build, codes, image } from './build';

/** Pads that no window can take over. */
export function padsThatStay(): (readonly [rule: string, what: string, build: Build])[] {
  const AROUND = [0, 0, 1, 1, 0, 0, 1, 1];
  type Window = Parameters<GraphBuilder['node']>[2];
  const conv =
    (pads: readonly number[], window: Window = {}, mode?: string, fill?: number): Build =>
    (b, c) => {
      const inputs = [image(b), c.ints(...pads), ...(fill === undefined ? [] : [c.scalar(fill)])];
      const padded = b.node('Pad', inputs, mode ? { mode } : {});
      return b.node('Conv', [padded, c.floats([3, 2, 1, 1])], window);
    };
  const pool =
    (op: string, window: Window, fill: number, pads: readonly number[] = AROUND): Build =>
    (b, c) =>
      b.node(op, [b.node('Pad', [image(b), c.ints(...pads), c.scalar(fill)])], { kernel_shape: [2, 2], ...window });
  const quantized =
    (op: string, fill: number): Build =>
    (b, c) => {
      const padded = b.node('Pad', [image(b), c.ints(...AROUND), c.scalar(fill)]);
      const value = c.pair(padded, 2 ** -4, 100);
      return op === 'Conv' ? c.conv(value) : b.node(op, [value], { kernel_shape: [2, 2] });
    };
  const LOW = Number.NEGATIVE_INFINITY;
  return [
    [
      'pad-into-conv',
      'an axis of channels',
      (b, c) => b.node('Conv', [b.node('Pad', [image(b), c.ints(0, 1, 1, 1, 0, 0, 1, 1)]), c.floats([3, 3, 1, 1])]),
    ],
    ['pad-into-conv', 'an axis of samples', conv([0, 0, 1, 1, 1, 0, 1, 1])],
    ['pad-into-conv', 'a crop', conv([0, 0, 1, 1, 0, 0, -1, 1])],
    ['pad-into-conv', 'a mirror image', conv(AROUND, {}, 'reflect')],
    ['pad-into-conv', 'edges', conv(AROUND, {}, 'edge')],
    ['pad-into-conv', 'ones', conv(AROUND, {}, 'constant', 1)],
    ['pad-into-conv', 'NaN', conv(AROUND, {}, 'constant', Number.NaN)],
    ['pad-into-conv', 'padding that follows the extent', conv(AROUND, { auto_pad: 'SAME_UPPER', strides: [2, 2] })],
    ['pad-into-conv', 'a value of another code than the zero point', quantized('Conv', 0.05)],
    [
      'pad-into-conv',
      'codes that are not the zero point',
      (b, c) => {
        const padded = b.node('Pad', [codes(b), c.ints(...AROUND), c.bytes('uint8', 99)]);
        return c.conv(b.node('DequantizeLinear', c.operand(padded)));
      },
    ],
    [
      'pad-into-conv',
      'a grid per channel',
      (b, c) => {
        const padded = b.node('Pad', [codes(b), c.ints(...AROUND)]);
        return c.conv(b.node('DequantizeLinear', [padded, c.floats([2]), c.bytes('uint8', 0, 100)], { axis: 1 }));
      },
    ],
    [
      'pad-into-conv',
      'pads that do not fit the axes',
      (b, c) => {
        const padded = b.node('Pad', [image(b), c.ints(1, 1), '', c.ints(2, 3)]);
        b.declare(padded, 'float32', ['N', 2, 7, 7]);
        return c.conv(padded);
      },
    ],
    [
      'pad-into-conv',
      'as its weights',
      (b, c) => {
        const padded = b.node('Pad', [b.input('w', 'float32', [3, 2, 1, 1]), c.ints(...AROUND)]);
        return b.node('Conv', [image(b), padded]);
      },
    ],
    ['pad-into-max-pool', 'a crop', pool('MaxPool', {}, LOW, [0, 0, 1, 1, 0, 0, -1, 1])],
    ['pad-into-average-pool', 'a crop', pool('AveragePool', {}, 0, [0, 0, 1, 1, 0, 0, -1, 1])],
    ['pad-into-max-pool', 'zeros', pool('MaxPool', {}, 0)],
    ['pad-into-max-pool', 'a code above the lowest', quantized('MaxPool', -6)],
    [
      'pad-into-max-pool',
      'zeros in front of signed codes',
      (b, c) =>
        b.node('MaxPool', [b.node('Pad', [b.input('x', 'int8', ['N', 2, 4, 4]), c.ints(...AROUND)])], {
          kernel_shape: [2, 2],
        }),
    ],
    [
      'pad-into-max-pool',
      'a negative scale',
      (b, c) => {
        const padded = b.node('Pad', [codes(b), c.ints(...AROUND)]);
        return b.node('MaxPool', [b.node('DequantizeLinear', c.operand(padded, -0.5, 0))], { kernel_shape: [2, 2] });
      },
    ],
    [
      'pad-into-max-pool',
      'indices',
      (b, c) =>
        b.nodes('MaxPool', [b.node('Pad', [image(b), c.ints(...AROUND), c.scalar(LOW)])], 2, { kernel_shape: [2, 2] }),
    ],
    ['pad-into-max-pool', 'windows of padding alone', pool('MaxPool', {}, LOW, [0, 0, 2, 1, 0, 0, 1, 1])],
    ['pad-into-max-pool', 'windows of padding alone by both', pool('MaxPool', { pads: [1, 0, 0, 0] }, LOW)],
    ['pad-into-max-pool', 'holes', pool('MaxPool', { dilations: [1, 2] }, LOW)],
    ['pad-into-max-pool', 'windows up to the end', pool('MaxPool', { ceil_mode: 1, strides: [2, 2] }, LOW)],
    [
      'pad-into-average-pool',
      'padding of its own that does not count',
      pool('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, 0),
    ],
    ['pad-into-average-pool', 'ones', pool('AveragePool', {}, 1)],
    ['pad-into-average-pool', 'windows up to the end', pool('AveragePool', { ceil_mode: 1, strides: [2, 2] }, 0)],
    ['pad-into-average-pool', 'windows of padding alone', pool('AveragePool', {}, 0, [0, 0, 2, 1, 0, 0, 1, 1])],
    ['pad-into-average-pool', 'holes', pool('AveragePool', { dilations: [1, 2] }, 0)],
    ['pad-into-average-pool', 'a code that is not the zero point', quantized('AveragePool', 1)],
  ];
}
