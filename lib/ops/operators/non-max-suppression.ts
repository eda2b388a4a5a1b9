import { attribute } from '../../ir/attribute';
import type { Dim } from '../../ir/graph';
import { toNumbers } from '../../ir/tensor';
import { unknownDim } from '../axes';
import { inputCost } from '../cost';
import { knownDims } from '../dims';
import type { Dense, Operator } from '../operator';
import { optional, problem, required } from '../schema';

const { fround } = Math;

/**
 * ONNX NonMaxSuppression-11: (batch, class, box) of the boxes of each class by falling score, without those that overlap one
 * taken before by more than a share of their union. Corners are y, x, y, x.
 */
export const nonMaxSuppression: Operator = {
  op: 'NonMaxSuppression',
  domain: '',
  since: 11,
  schema: {
    inputs: [
      required('boxes', ['float32']),
      required('scores', ['float32']),
      optional('max_output_boxes_per_class', ['int64']),
      optional('iou_threshold', ['float32']),
      optional('score_threshold', ['float32']),
    ],
    outputs: [required('selected_indices', ['int64'])],
    attributes: { center_point_box: { kind: 'int' } },
  },
  infer: ({ node, inputs }) => {
    const [boxes, scores] = [inputs[0]!.shape, inputs[1]!.shape];
    const differ = (a: Dim | undefined, b: Dim | undefined) =>
      typeof a === 'number' && typeof b === 'number' && a !== b;
    const wrong =
      (boxes && (boxes.length !== 3 || differ(boxes[2], 4))) ||
      (scores && scores.length !== 3) ||
      (boxes && scores && (differ(boxes[0], scores[0]) || differ(boxes[1], scores[2])));
    if (wrong)
      return problem(
        node,
        'shape-mismatch',
        `expected boxes [batches, boxes, 4] and scores [batches, classes, boxes], found [${boxes}] and [${scores}]`,
      );
    return [{ type: 'int64', shape: [unknownDim(node.outputs[0], 0), 3] }];
  },
  evaluate: ([boxes, scores, limit, overlap, least], node) => {
    const centered = attribute(node, 'center_point_box', 'int', 0) === 1;
    const [batches, classes, length] = scores!.dims;
    const rows: number[] = [];
    for (let batch = 0; batch < batches; batch++)
      for (let each = 0; each < classes; each++) {
        const of = (box: number) => scores!.data[(batch * classes + each) * length + box];
        const order = Array.from({ length }, (_, box) => box)
          .filter((box) => least === undefined || of(box) > least.data[0])
          .sort((a, b) => of(b) - of(a) || a - b);
        const taken: number[] = [];
        for (const box of order) {
          if (taken.length >= (limit?.data[0] ?? 0)) break;
          const rivals = taken.map((other) =>
            share(cornersOf(boxes!, batch, box, centered), cornersOf(boxes!, batch, other, centered)),
          );
          if (rivals.every((found) => !(found > (overlap?.data[0] ?? 0)))) taken.push(box);
        }
        for (const box of taken) rows.push(batch, each, box);
      }
    return [{ type: 'int64', dims: [rows.length / 3, 3], data: Float64Array.from(rows) }];
  },
  counts: true,
  most: ({ node, inputs: [, scores], constant }) => {
    const dims = knownDims(scores?.shape);
    if (!dims) return [undefined];
    const [batches, classes, length] = dims;
    const limit = node.inputs[2] ? constant(2) : null;
    // A limit that is computed may be anything; left out it is 0.
    const most = limit === undefined ? length : limit === null ? 0 : Math.min(length, Math.max(0, toNumbers(limit)[0]));
    return [[batches * classes * most, 3]];
  },
  cost: inputCost,
  lower: ({ node }) => ({
    kernel: 'non-max-suppression',
    centered: attribute(node, 'center_point_box', 'int', 0) === 1,
  }),
};

/** [left, right, top, bottom] of a box, rounded to float32 as the engine does. */
function cornersOf(boxes: Dense, batch: number, box: number, centered: boolean): readonly [number, number][] {
  const start = (batch * boxes.dims[1] + box) * 4;
  return [0, 1].map((axis) => {
    if (centered) {
      const [center, half] = [boxes.data[start + axis], fround(boxes.data[start + 2 + axis] / 2)];
      return [fround(center - half), fround(center + half)];
    }
    const [a, b] = [boxes.data[start + 1 - axis], boxes.data[start + 3 - axis]];
    return a >= b ? [b, a] : [a, b];
  });
}

/** What two boxes share of their union; 0 where they do not meet or one has no area. */
function share(a: readonly [number, number][], b: readonly [number, number][]): number {
  const sides = [0, 1].map((axis) => fround(Math.min(a[axis][1], b[axis][1]) - Math.max(a[axis][0], b[axis][0])));
  if (sides.some((side) => side <= 0)) return 0;
  const both = fround(sides[0] * sides[1]);
  const [left, right] = [a, b].map(([x, y]) => fround(fround(x[1] - x[0]) * fround(y[1] - y[0])));
  const either = fround(fround(left + right) - both);
  return both <= 0 || left <= 0 || right <= 0 || either <= 0 ? 0 : fround(both / either);
}
