import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, type ViewType } from '../../lib/ir/tensor';

/** Largest number of torch's exports: no limit. */
const MAX = 2 ** 53 - 1;
const FLOAT = 1;
const INT64 = 7;

interface Detector {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** Adds nodes with constants in their places. */
class Export {
  readonly b = new GraphBuilder({ opset: 17 });

  ints(...values: number[]): string {
    return this.b.initializer(tensorFrom('int64', [values.length], values));
  }
  scalar(value: number, type: ViewType = 'float32'): string {
    return this.b.initializer(tensorFrom(type, [], [value]));
  }
  numbers(dims: readonly number[], values: readonly number[]): string {
    return this.b.initializer(tensorFrom('float32', dims, values));
  }
  slice(x: string, from: number, to: number, axis: number): string {
    return this.b.node('Slice', [x, this.ints(from), this.ints(to), this.ints(axis)]);
  }
  select(x: string, index: number, axis: number): string {
    return this.b.node('Gather', [x, this.scalar(index, 'int64')], { axis });
  }
  /** `x[mask]` */
  masked(x: string, mask: string): string {
    const places = this.b.node('NonZero', [mask]);
    return this.b.node('GatherND', [x, this.b.node('Transpose', [places], { perm: [1, 0] })]);
  }
  /** `torchvision.ops.nms` */
  nms(boxes: string, scores: string, overlap: number): string {
    const { b } = this;
    const found = b.node('NonMaxSuppression', [
      b.node('Unsqueeze', [boxes, this.ints(0)]),
      b.node('Unsqueeze', [b.node('Unsqueeze', [scores, this.ints(0)]), this.ints(0)]),
      this.ints(MAX),
      this.numbers([1], [overlap]),
    ]);
    return b.node('Squeeze', [b.node('Gather', [found, this.ints(2)], { axis: 1 }), this.ints(1)]);
  }
}

/** Boxes that overlap a good deal, as [count, 4] corners. */
function corners(rng: Rng, count: number): number[] {
  return Array.from({ length: count }, () => {
    const [x, y] = [rng.uniform() * 8, rng.uniform() * 8];
    return [x, y, x + 1 + rng.uniform() * 4, y + 1 + rng.uniform() * 4];
  }).flat();
}

const drawn = (rng: Rng, dims: readonly number[]) =>
  tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, () => rng.uniform()),
  );

/** Scores and boxes of a head, NonMaxSuppression with thresholds, and rows of (batch, class, box, score, corners). */
export function plainDetector(seed: number): Detector {
  const e = new Export();
  const { b } = e;
  const rng = new Rng(seed);
  const [count, classes] = [40, 3];
  const boxes = b.input('boxes', 'float32', [1, count, 4]);
  const scores = b.node('Transpose', [b.input('scores', 'float32', [1, count, classes])], { perm: [0, 2, 1] });
  const found = b.node('NonMaxSuppression', [
    boxes,
    scores,
    e.ints(7),
    b.input('iou', 'float32', [1]),
    e.numbers([1], [0.4]),
  ]);
  const best = b.node('Unsqueeze', [b.node('GatherND', [scores, found]), e.ints(1)]);
  const box = e.select(found, 2, 1);
  const rows = b.node(
    'Concat',
    [b.node('Cast', [found], { to: FLOAT }), best, b.node('Gather', [b.node('Squeeze', [boxes, e.ints(0)]), box])],
    { axis: 1 },
  );
  b.output(rows);
  b.output(found);
  const feeds = new Map([
    ['boxes', tensorFrom('float32', [1, count, 4], corners(rng, count))],
    ['scores', drawn(rng, [1, count, classes])],
    ['iou', tensorFrom('float32', [1], [0.3])],
  ]);
  return { graph: b.build(), feeds };
}

/** A head as `ultralytics` exports it with `nms=True`: one class per box, offsets per class, rows padded to a fixed number. */
export function detectorOfUltralytics(seed: number): Detector {
  const e = new Export();
  const { b } = e;
  const rng = new Rng(seed);
  const [count, classes, most] = [50, 4, 20];
  // [1, 4 + classes, count], boxes by center
  const head = b.node('Transpose', [b.input('x', 'float32', [1, 4 + classes, count])], { perm: [0, 2, 1] });
  const [centers, all] = b.nodes('Split', [head, e.ints(4, classes)], 2, { axis: 2 });
  const best = b.node('ReduceMax', [all], { axes: [-1], keepdims: 0 });
  const which = b.node('ArgMax', [all], { axis: -1, keepdims: 0 });
  const half = b.node('Div', [e.slice(centers, 2, 4, 2), e.scalar(2)]);
  const middle = e.slice(centers, 0, 2, 2);
  const boxes = b.node('Concat', [b.node('Sub', [middle, half]), b.node('Add', [middle, half])], { axis: -1 });
  const [box0, score0, class0] = [boxes, best, which].map((value) => e.select(value, 0, 0));
  const mask = b.node('Greater', [score0, e.scalar(0.6)]);
  const [box, score, kind] = [box0, score0, class0].map((value) => e.masked(value, mask));
  const scaled = b.node('Div', [box, b.node('ReduceMax', [box], { keepdims: 0 })]);
  const column = (value: string) => b.node('Reshape', [value, e.ints(-1, 1)]);
  const offsets = b.node('Mul', [b.node('Cast', [column(kind)], { to: FLOAT }), e.scalar(8)]);
  const keep = e.slice(e.nms(b.node('Add', [scaled, offsets]), score, 0.45), 0, most, 0);
  const kept = (value: string) => b.node('Gather', [value, keep]);
  const rows = b.node('Concat', [kept(box), column(kept(score)), b.node('Cast', [column(kept(kind))], { to: FLOAT })], {
    axis: -1,
  });
  // torch's own way from (left, right, top, bottom) to pads
  const missing = b.node('Sub', [e.ints(most), b.node('Gather', [b.node('Shape', [rows]), e.ints(0)])]);
  const list = b.node(
    'Concat',
    [
      e.ints(0, 0, 0),
      b.node('Cast', [missing], { to: INT64 }),
      b.node('ConstantOfShape', [e.ints(0)], { value: { kind: 'tensor', value: tensorFrom('int64', [1], [0]) } }),
    ],
    { axis: 0 },
  );
  const pairs = b.node('Slice', [
    b.node('Reshape', [list, e.ints(-1, 2)]),
    e.ints(-1),
    e.ints(-MAX),
    e.ints(0),
    e.ints(-1),
  ]);
  const pads = b.node('Cast', [b.node('Reshape', [b.node('Transpose', [pairs], { perm: [1, 0] }), e.ints(-1)])], {
    to: INT64,
  });
  const padded = b.node('Pad', [rows, pads, e.scalar(0)], { mode: 'constant' });
  b.output(
    b.node('ScatterND', [
      e.numbers([1, most, 6], new Array(most * 6).fill(0)),
      b.initializer(tensorFrom('int64', [1, 1], [0])),
      b.node('Unsqueeze', [padded, e.ints(0)]),
    ]),
  );
  const center = Array.from({ length: 2 * count }, () => rng.uniform() * 10);
  const size = Array.from({ length: 2 * count }, () => 1 + rng.uniform() * 3);
  const scores = Array.from({ length: classes * count }, () => rng.uniform() * 0.8);
  return {
    graph: b.build(),
    feeds: new Map([['x', tensorFrom('float32', [1, 4 + classes, count], [...center, ...size, ...scores])]]),
  };
}

/** A head as torchvision's SSD writes it: the best of each class, all classes behind each other, offsets per class. */
export function detectorOfTorchvision(seed: number): Detector {
  const e = new Export();
  const { b } = e;
  const rng = new Rng(seed);
  const [count, classes] = [30, 4];
  const boxes = b.input('boxes', 'float32', [count, 4]);
  const scores = b.node('Softmax', [b.input('logits', 'float32', [count, classes])], { axis: -1 });
  const lists = Array.from({ length: classes - 1 }, (_, index) => {
    const label = index + 1;
    const all = e.select(scores, label, 1);
    const mask = b.node('Greater', [all, e.scalar(0.3)]);
    const [score, box] = [e.masked(all, mask), e.masked(boxes, mask)];
    const length = b.node('Unsqueeze', [b.node('Gather', [b.node('Shape', [score]), e.scalar(0, 'int64')]), e.ints(0)]);
    const k = b.node('ReduceMin', [b.node('Concat', [e.ints(9), length], { axis: 0 })], { keepdims: 0 });
    const [best, at] = b.nodes('TopK', [score, b.node('Reshape', [k, e.ints(-1)])], 2, {
      axis: 0,
      largest: 1,
      sorted: 1,
    });
    const labels = b.node('Expand', [e.scalar(label, 'int64'), b.node('Shape', [best])]);
    return { best, box: b.node('Gather', [box, at]), labels };
  });
  const [score, box, labels] = (['best', 'box', 'labels'] as const).map((part) =>
    b.node(
      'Concat',
      lists.map((list) => list[part]),
      { axis: 0 },
    ),
  );
  const offsets = b.node('Mul', [
    b.node('Cast', [labels], { to: FLOAT }),
    b.node('Add', [b.node('ReduceMax', [box], { keepdims: 0 }), e.scalar(1)]),
  ]);
  const keep = e.slice(e.nms(b.node('Add', [box, b.node('Unsqueeze', [offsets, e.ints(1)])]), score, 0.45), 0, 12, 0);
  for (const value of [box, score, labels]) b.output(b.node('Gather', [value, keep]));
  const logits = Array.from({ length: count * classes }, () => rng.normal() * 1.5);
  const feeds = new Map([
    ['boxes', tensorFrom('float32', [count, 4], corners(rng, count))],
    ['logits', tensorFrom('float32', [count, classes], logits)],
  ]);
  return { graph: b.build(), feeds };
}
