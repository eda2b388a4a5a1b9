import fc from 'fast-check';
import type { Buffer } from '../../lib/compile/step';
import {
  alignFactors,
  broadcastView,
  channelsLastOrder,
  extentsOf,
  isDense,
  isPlain,
  layoutKey,
  memoryOffsets,
  mergeFactors,
  naturalOrder,
  plainView,
  reshapeView,
  sizeOf,
  sliceView,
  stridedView,
  transposeView,
  type View,
} from '../../lib/compile/view';

/** A tensor by plain index arithmetic: extents, and the memory place of every element in logical row-major order. */
interface Model {
  readonly dims: readonly number[];
  readonly places: readonly number[];
}

/** A view together with what it must mean. */
interface Case {
  readonly view: View;
  readonly model: Model;
}

const buffer = (count: number): Buffer => ({
  id: 0,
  name: 'x',
  type: 'int8',
  count,
  quantization: undefined,
  place: { kind: 'arena' },
});
const product = (dims: readonly number[]): number => dims.reduce((all, dim) => all * dim, 1);

/** Calls `of` with every index of `dims`, last axis fastest. */
function overIndices<T>(dims: readonly number[], of: (index: number[]) => T): T[] {
  return Array.from({ length: product(dims) }, (_, flat) => {
    const index: number[] = [];
    for (let axis = dims.length - 1, rest = flat; axis >= 0; rest = Math.floor(rest / dims[axis--]))
      index.unshift(rest % dims[axis]);
    return of(index);
  });
}

const at = ({ dims, places }: Model, index: readonly number[]): number =>
  places[index.reduce((flat, position, axis) => flat * dims[axis] + position, 0)];

/** Where the view says that its elements lie. */
const placesOf = (view: View): number[] => Array.from(memoryOffsets(view.dims), (distance) => view.offset + distance);

const anyDims = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 4 });

/** One change: applied to the view and, by plain indexing, to the model. Random numbers come from a list. */
type Change = (given: Case, numbers: () => number) => Case;

const transpose: Change = ({ view, model }, next) => {
  const order = naturalOrder(model.dims.length)
    .map((axis) => ({ axis, key: next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ axis }) => axis);
  const dims = order.map((axis) => model.dims[axis]);
  const places = overIndices(dims, (index) => {
    const source: number[] = [];
    order.forEach((axis, i) => {
      source[axis] = index[i];
    });
    return at(model, source);
  });
  return { view: transposeView(view, order), model: { dims, places } };
};

const slice: Change = ({ view, model }, next) => {
  const ranges = model.dims.map((dim) => {
    const [first, last] = [next() % dim, next() % dim].sort((a, b) => a - b);
    const step = (1 + (next() % 2)) * (next() % 2 ? 1 : -1);
    const count = Math.floor((last - first) / Math.abs(step)) + 1;
    return { start: step > 0 ? first : last, step, count };
  });
  const dims = ranges.map(({ count }) => count);
  const places = overIndices(dims, (index) =>
    at(
      model,
      index.map((position, axis) => ranges[axis].start + position * ranges[axis].step),
    ),
  );
  const changed = sliceView(
    view,
    ranges.map(({ start }) => start),
    ranges.map(({ step }) => step),
    dims,
  );
  return changed ? { view: changed, model: { dims, places } } : { view, model };
};

const reshape: Change = ({ view, model }, next) => {
  const dims = new Array<number>(1 + (next() % 4)).fill(1);
  let rest = product(model.dims);
  for (let prime = 2; rest > 1; prime++) for (; rest % prime === 0; rest /= prime) dims[next() % dims.length] *= prime;
  const changed = reshapeView(view, dims);
  return changed ? { view: changed, model: { dims, places: model.places } } : { view, model };
};

const broadcast: Change = ({ view, model }, next) => {
  if (model.places.length > 300) return { view, model };
  const more = Array.from({ length: next() % 2 }, () => 1 + (next() % 2));
  const dims = [...more, ...model.dims.map((dim) => (dim === 1 ? 1 + (next() % 3) : dim))];
  const places = overIndices(dims, (index) =>
    at(
      model,
      index.slice(more.length).map((position, axis) => (model.dims[axis] === 1 ? 0 : position)),
    ),
  );
  return { view: broadcastView(view, dims)!, model: { dims, places } };
};

const CHANGES = [transpose, slice, reshape, broadcast];

/** A view after up to five random changes of a whole buffer. */
const cases = fc
  .tuple(anyDims, fc.boolean(), fc.array(fc.nat(3), { maxLength: 5 }), fc.infiniteStream(fc.nat(1000)))
  .map(([dims, last, changes, stream]) => {
    const view = stridedView(
      buffer(product(dims)),
      dims,
      last ? channelsLastOrder(dims.length) : naturalOrder(dims.length),
    );
    const next = () => stream.next().value as number;
    const first: Case = { view, model: { dims, places: placesOf(view) } };
    return changes.reduce((given, change) => CHANGES[change](given, next), first);
  });

describe('views', () => {
  test('stay what plain index arithmetic says, whatever is done to them', () => {
    fc.assert(
      fc.property(cases, ({ view, model }) => {
        expect(extentsOf(view)).toEqual(model.dims);
        expect(sizeOf(view)).toBe(model.places.length);
        expect(placesOf(view)).toEqual(model.places);
      }),
      { numRuns: 500 },
    );
  });

  test('merging factors moves no element', () => {
    fc.assert(
      fc.property(cases, ({ view, model }) => {
        const merged = { ...view, dims: view.dims.map(mergeFactors) };
        expect(placesOf(merged)).toEqual(model.places);
        expect(layoutKey(merged)).toBe(layoutKey(view));
      }),
    );
  });

  test('are dense exactly when they meet every element of the buffer once, and nothing is left out', () => {
    fc.assert(
      fc.property(cases, ({ view, model }) => {
        const sorted = [...model.places].sort((a, b) => a - b);
        const all = sorted.length === view.buffer.count && sorted.every((place, i) => place === i);
        // A view that walks backwards meets all elements too, but its first one does not lie in front.
        const forwards =
          view.offset === 0 && view.dims.flat().every(({ extent, stride }) => extent === 1 || stride > 0);
        expect(isDense(view)).toBe(all && forwards);
        expect(isPlain(view, model.dims)).toBe(isDense(view) && model.places.every((place, i) => place === i));
      }),
      { numRuns: 500 },
    );
  });

  test('a copy to row-major memory walks both sides in step', () => {
    fc.assert(
      fc.property(cases, ({ view, model }) => {
        const target = plainView(buffer(model.places.length), model.dims);
        const runs = alignFactors(view, target)!;
        const sides = (['source', 'target'] as const).map((side) =>
          memoryOffsets([runs.map((run) => ({ extent: run.extent, stride: run[side] }))]),
        );
        expect(sides[0].length).toBe(model.places.length);
        const copied = new Array<number>(model.places.length);
        sides[0].forEach((from, i) => {
          copied[sides[1][i]] = view.offset + from;
        });
        expect(copied).toEqual(model.places);
      }),
    );
  });

  test.each([
    ['rows and columns of whole memory join: no copy', plainView(buffer(6), [2, 3]), [3, 2], '3:2,2:1'],
    [
      'a flattened channels-last image is three strides',
      stridedView(buffer(24), [1, 2, 3, 4], [0, 2, 3, 1]),
      [1, 24],
      ',2:1.12:2',
    ],
    ['a cut that divides no factor is none', transposeView(plainView(buffer(6), [2, 3]), [1, 0]), [2, 3], undefined],
    ['scalars are views', plainView(buffer(1), []), [1, 1], ','],
  ])('reshape: %s', (_, view, dims, expected) => {
    const reshaped = reshapeView(view, dims);
    expect(reshaped && layoutKey(reshaped)).toBe(expected);
  });

  test('factors that cannot meet are not copied in one go', () => {
    const a = reshapeView(transposeView(plainView(buffer(6), [2, 3]), [1, 0]), [6])!;
    const b = reshapeView(transposeView(plainView(buffer(6), [3, 2]), [1, 0]), [6])!;
    expect(alignFactors(a, b)).toBeUndefined();
    expect(broadcastView(plainView(buffer(6), [2, 3]), [3, 3])).toBeUndefined();
  });
});
