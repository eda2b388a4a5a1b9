import { tensorFrom } from '../../../lib/ir/tensor';
import { ints, opCase, random } from '../draw';
import { float, type OpCase } from '../op-case';

const x = random([2, 3, 4]);
const image = random([1, 2, 3, 4]);
const scales = tensorFrom('float32', [4], [1, 1, 2, 1.5]);
const reductions = ['Mean', 'Prod', 'Max', 'Min', 'SumSquare', 'L1', 'L2', 'LogSum'].map((word) => `Reduce${word}`);

/** Forms of opsets before the dialect's: what onnxruntime computes for them must survive the upgrade. */
export const CASES: readonly OpCase[] = [
  opCase('Slice', 'opset 9', [x], { starts: [1, -3], ends: [100, -1], axes: [1, 2] }, { opset: 9 }),
  opCase('Slice', 'opset 9, default axes', [x], { starts: [0, 1], ends: [2, 3] }, { opset: 9 }),
  opCase('Slice', 'opset 11', [x, ints(0), ints(2), ints(-1)], {}, { opset: 11 }),
  opCase('Clip', 'opset 6', [x], { min: float(-0.5), max: float(1) }, { opset: 7 }),
  opCase('Clip', 'opset 6, only max', [x], { max: float(1) }, { opset: 10 }),
  opCase('Clip', 'opset 6, no bounds', [x], {}, { opset: 7 }),
  opCase('Pad', 'opset 2', [x], { pads: [0, 1, 2, 1, 0, 1], value: float(3) }, { opset: 10 }),
  opCase('Pad', 'opset 2, reflect', [x], { pads: [0, 1, 2, 1, 0, 1], mode: 'reflect' }, { opset: 7 }),
  opCase('Squeeze', 'opset 11', [random([1, 3, 1])], { axes: [0, -1] }, { opset: 11 }),
  opCase('Squeeze', 'opset 11, all', [random([1, 3, 1])], {}, { opset: 11 }),
  opCase('Unsqueeze', 'opset 11', [x], { axes: [0, -1] }, { opset: 11 }),
  opCase('ReduceSum', 'opset 11', [x], { axes: [1], keepdims: 0 }, { opset: 11 }),
  opCase('ReduceSum', 'opset 11, all axes', [x], {}, { opset: 11 }),
  ...reductions.flatMap((op) => [
    opCase(op, 'opset 11', [random([2, 3, 4], 0.1, 2)], { axes: [-1, 0], keepdims: 0 }, { opset: 11 }),
    opCase(op, 'opset 17', [random([2, 3, 4], 0.1, 2)], { axes: [1] }, { opset: 17 }),
  ]),
  opCase('Split', 'opset 11', [x], { axis: 1, split: [1, 2] }, { opset: 11, outputs: 2 }),
  opCase('Split', 'opset 11, equal', [x], { axis: 2 }, { opset: 11, outputs: 2 }),
  opCase('Split', 'opset 13', [x, ints(3, 1)], { axis: 2 }, { opset: 13, outputs: 2 }),
  opCase('Split', 'opset 13, equal', [x], { axis: -1 }, { opset: 13, outputs: 4 }),
  opCase('Dropout', 'opset 7', [x], { ratio: float(0.3) }, { opset: 7 }),
  opCase('Dropout', 'opset 10', [x], {}, { opset: 10 }),
  opCase('Resize', 'opset 10, nearest', [image, scales], {}, { opset: 10 }),
  opCase('Resize', 'opset 10, linear', [image, scales], { mode: 'linear' }, { opset: 10 }),
  opCase('Resize', 'opset 13', [image, random([0]), scales], { mode: 'linear' }, { opset: 13 }),
  opCase('Upsample', 'opset 9, nearest', [image, scales], {}, { opset: 9 }),
  opCase('Upsample', 'opset 9, linear', [image, scales], { mode: 'linear' }, { opset: 9 }),
  opCase('Upsample', 'opset 7', [image], { scales: { kind: 'floats', value: [1, 1, 2, 2] } }, { opset: 7 }),
  opCase('Add', 'opset 7', [x, random([4])], {}, { opset: 7 }),
  opCase('Flatten', 'opset 7', [x], { axis: 2 }, { opset: 7 }),
  opCase('ArgMax', 'opset 11', [x], { axis: -1 }, { opset: 11 }),
  opCase('Cast', 'opset 9', [x], { to: 7 }, { opset: 9 }),
  opCase('Elu', 'opset 22', [x], { alpha: float(0.5) }, { opset: 22 }),
];
