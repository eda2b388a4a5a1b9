import { elementCount, type ViewType } from '../../../lib/ir/tensor';
import { LARGEST, type Maker, Unfit, type Value } from '../maker';
import { axisOf, type Draw, type Draws, someAxes } from './draw';

/** Types that are moved about. */
const MOVED: readonly ViewType[] = [
  'float32',
  'float32',
  'float32',
  'float32',
  'int32',
  'int64',
  'uint8',
  'int8',
  'bool',
];

const moved = (m: Maker, ranks: readonly [number, number] = [1, 6], types = MOVED): Value =>
  m.want({ types: [m.pick(types)], ranks, special: true });

/** A list for an operator that wants it as an input: a constant. */
const reshape: Draw = (m, op) => {
  const x = moved(m, [0, 6]);
  const dims = regrouped(m, elementCount(x.dims));
  if (x.dims.length > 0 && m.chance(0.2)) {
    // The extents of another value, computed.
    const twin = m.find({ types: MOVED, fits: (other) => elementCount(other) === elementCount(x.dims) });
    if (twin && twin.dims.length > 0) return [m.node(op, [x, m.node('Shape', [twin])])];
  }
  const target = dims.map((dim, axis) => (dim === x.dims[axis] && m.chance(0.3) ? 0 : dim));
  if (m.chance(0.4) && target.length > 0) target[m.integer(0, target.length - 1)] = -1;
  return [m.node(op, [x, m.ints(...target)])];
};

/** Extents of rank 0 to 6 with this product. */
function regrouped(m: Maker, count: number): number[] {
  const dims = new Array<number>(m.integer(count === 1 ? 0 : 1, 6)).fill(1);
  let rest = count;
  for (let prime = 2; rest > 1; prime++)
    for (; rest % prime === 0; rest /= prime) dims[m.integer(0, dims.length - 1)] *= prime;
  return dims;
}

const flatten: Draw = (m, op) => {
  const x = moved(m, [1, 6]);
  return [m.node(op, [x], m.chance(0.3) ? {} : { axis: m.integer(-x.dims.length, x.dims.length) })];
};

const squeeze: Draw = (m, op) => {
  const x = m.want({ types: MOVED, ranks: [1, 6], fits: (dims) => dims.includes(1) });
  const ones = x.dims.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  if (m.chance(0.3)) return [m.node(op, [x])];
  const axes = ones.filter(() => m.chance(0.6)).map((axis) => (m.chance(0.3) ? axis - x.dims.length : axis));
  return [m.node(op, [x, m.ints(...(axes.length > 0 ? axes : [ones[0]]))])];
};

const unsqueeze: Draw = (m, op) => {
  const x = moved(m, [0, 5]);
  const count = m.integer(1, 6 - x.dims.length);
  const rank = x.dims.length + count;
  const axes = Array.from(m.rng.permutation(rank)).slice(0, count);
  return [m.node(op, [x, m.ints(...axes.map((axis) => (m.chance(0.3) ? axis - rank : axis)))])];
};

const transpose: Draw = (m, op) => {
  const x = moved(m, [1, 6]);
  return [m.node(op, [x], m.chance(0.2) ? {} : { perm: Array.from(m.rng.permutation(x.dims.length)) })];
};

const concat: Draw = (m, op) => {
  const x = moved(m, [1, 6]);
  const axis = m.integer(0, x.dims.length - 1);
  const fits = (dims: readonly number[]): boolean =>
    dims.length === x.dims.length && dims.every((dim, i) => i === axis || dim === x.dims[i]);
  const others = Array.from({ length: m.pick([0, 1, 1, 1, 2, 3]) }, () => {
    const found = m.chance(0.7) ? m.find({ types: [x.type as ViewType], fits }) : undefined;
    const dims = x.dims.map((dim, i) => (i === axis ? m.integer(1, 5) : dim));
    return found ?? m.fresh(x.type as ViewType, dims);
  });
  const at = m.integer(0, others.length);
  const parts = [...others.slice(0, at), x, ...others.slice(at)];
  return [m.node(op, parts, { axis: m.chance(0.3) ? axis - x.dims.length : axis })];
};

const split: Draw = (m, op) => {
  const x = moved(m, [1, 6], ['float32', 'float32', 'int32', 'int64', 'uint8']);
  const axis = m.integer(0, x.dims.length - 1);
  const given = m.chance(0.2) ? {} : { axis: m.chance(0.3) ? axis - x.dims.length : axis };
  const extent = x.dims['axis' in given ? axis : 0];
  if (m.chance(0.5)) {
    const lengths: number[] = [];
    for (let rest = extent; rest > 0; rest -= lengths.at(-1)!)
      lengths.push(lengths.length === 3 ? rest : m.integer(1, rest));
    return m.nodes(op, [x, m.ints(...lengths)], given, lengths.length);
  }
  const count = m.integer(1, Math.min(4, extent));
  // The last piece may be shorter, but not empty.
  if (Math.ceil(extent / count) * (count - 1) >= extent) throw new Unfit('an empty piece');
  return m.nodes(op, [x], { ...given, num_outputs: count }, count);
};

const slice: Draw = (m, op) => {
  const x = moved(m, [1, 6]);
  const rank = x.dims.length;
  const axes = m.chance(0.3) ? x.dims.map((_, axis) => axis) : someAxes(m, rank);
  const parts = axes.map((axis) => {
    const extent = x.dims.at(axis)!;
    const step = m.pick([1, 1, 1, 2, 3, -1, -2]);
    const first = m.integer(0, extent - 1);
    const last = m.integer(first, extent - 1);
    if (step < 0) return { start: m.chance(0.3) ? 1000 : last, end: m.chance(0.3) ? -1000 : first - 1 - extent, step };
    const start = m.chance(0.3) ? first - extent : first;
    return {
      start,
      end: m.chance(0.3) ? 2 ** 40 : m.chance(0.2) && last + 1 < extent ? last + 1 - extent : last + 1,
      step,
    };
  });
  const lists = [parts.map(({ start }) => start), parts.map(({ end }) => end), axes, parts.map(({ step }) => step)];
  const steps = parts.every(({ step }) => step === 1) && m.chance(0.5) ? lists.slice(0, 3) : lists;
  const whole = axes.every((axis, i) => axis === i) && steps.length === 3 && m.chance(0.5) ? steps.slice(0, 2) : steps;
  return [m.node(op, [x, ...whole.map((list) => m.ints(...list))])];
};

const pad: Draw = (m, op) => {
  const x = moved(m, [1, 6], ['float32', 'float32', 'float32', 'int32', 'int64', 'uint8', 'int8']);
  const mode = m.pick(['constant', 'constant', 'edge', 'reflect', 'wrap']);
  const named = m.chance(0.3);
  const axes = named ? someAxes(m, x.dims.length) : x.dims.map((_, axis) => axis);
  const room = axes.map((axis) => x.dims.at(axis)!);
  const most = (extent: number): number =>
    mode === 'reflect' ? Math.min(3, extent - 1) : mode === 'wrap' ? Math.min(3, extent) : 3;
  // Runtimes differ in what mirrors cut off first.
  const least = mode === 'constant' && !named ? -1 : 0;
  const draw = (extent: number): number => (m.chance(0.5) ? m.integer(extent > 2 ? least : 0, most(extent)) : 0);
  const pads = [...room.map(draw), ...room.map(draw)];
  const filler =
    mode === 'constant' && m.chance(0.6) ? m.want({ types: [x.type as ViewType], within: [0, 9] }, []) : undefined;
  const list = named ? m.ints(...axes) : undefined;
  const attributes = mode === 'constant' && m.chance(0.5) ? {} : { mode };
  return [m.node(op, [x, m.ints(...pads), ...(filler || list ? [filler] : []), ...(list ? [list] : [])], attributes)];
};

const expand: Draw = (m, op) => {
  const x = moved(m, [0, 5], ['float32', 'float32', 'int32', 'int64', 'bool', 'uint8']);
  const dims = x.dims.map((dim) =>
    dim === 1 && m.chance(0.6) ? m.integer(1, 6) : dim === 1 || m.chance(0.5) ? dim : 1,
  );
  while (dims.length < 6 && m.chance(0.3)) dims.unshift(m.integer(1, 4));
  const cut = m.chance(0.1) ? dims.slice(1) : dims;
  if (elementCount(cut.map((dim, i) => Math.max(dim, x.dims.at(i - cut.length) ?? 1))) > LARGEST)
    throw new Unfit('too many elements');
  return [m.node(op, [x, m.ints(...cut)])];
};

const tile: Draw = (m, op) => {
  const x = moved(m, [1, 6], ['float32', 'float32', 'int32', 'int64', 'uint8', 'bool']);
  return [m.node(op, [x, m.ints(...x.dims.map(() => m.pick([1, 1, 2, 3])))])];
};

const blocks: Draw = (m, op) => {
  const size = m.integer(1, 3);
  const deep = op === 'DepthToSpace';
  const fits = (dims: readonly number[]): boolean =>
    dims.length === 4 && (deep ? dims[1] % size ** 2 === 0 : dims[2] % size === 0 && dims[3] % size === 0);
  const dims = deep
    ? [m.integer(1, 2), m.integer(1, 3) * size ** 2, m.integer(1, 5), m.integer(1, 5)]
    : [m.integer(1, 2), m.integer(1, 5), m.integer(1, 4) * size, m.integer(1, 4) * size];
  const x = m.find({ fits }) ?? m.fresh('float32', dims);
  const mode = deep ? m.pick([{}, { mode: 'DCR' }, { mode: 'CRD' }]) : {};
  return [m.node(op, [x], { blocksize: size, ...mode })];
};

const triangle: Draw = (m, op) => {
  const x = moved(m, [2, 6], ['float32', 'float32', 'int64', 'int32']);
  const diagonal = m.chance(0.7) ? [m.scalar('int64', m.integer(-4, 4))] : [];
  return [m.node(op, [x, ...diagonal], m.pick([{}, { upper: 0 }, { upper: 1 }]))];
};

const shape: Draw = (m, op) => {
  const x = moved(m, [1, 6]);
  const ends = m.chance(0.5)
    ? {}
    : { start: axisOf(m, x.dims.length), ...(m.chance(0.5) ? { end: x.dims.length } : {}) };
  return [m.node(op, [x], ends)];
};

const size: Draw = (m, op) => [m.node(op, [moved(m, [0, 6])])];

export const MOVEMENTS: Draws = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  DepthToSpace: blocks,
  SpaceToDepth: blocks,
  Trilu: triangle,
  Shape: shape,
  Size: size,
};
