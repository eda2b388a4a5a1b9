import { elementCount, tensorFrom, type ViewType } from '../../../lib/ir/tensor';
import { type Maker, Unfit, type Value } from '../maker';
import type { Draw, Draws } from './draw';

const GATHERED: readonly ViewType[] = ['float32', 'float32', 'float32', 'int32', 'int64', 'uint8', 'bool'];

/** Indices below an extent, some counted from the end: computed ones where there are any, else drawn. */
function indices(m: Maker, dims: readonly number[], extent: number): Value {
  const found = m.chance(0.3)
    ? m.find({ types: ['int64', 'int32'], within: [-extent, extent - 1], fits: (d) => d.join() === dims.join() })
    : undefined;
  return (
    found ?? m.fresh(m.pick(['int64', 'int64', 'int32']), dims, m.chance(0.3) ? [-extent, extent - 1] : [0, extent - 1])
  );
}

const gather: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(GATHERED)], ranks: [1, 5] });
  const axis = m.integer(0, x.dims.length - 1);
  const room = 6 - x.dims.length + 1;
  const dims = m.dims([0, Math.min(2, room)]);
  if (elementCount(dims) * elementCount(x.dims) > 2500 * x.dims[axis]) throw new Unfit('too many elements');
  const attributes = axis === 0 && m.chance(0.5) ? {} : { axis: m.chance(0.3) ? axis - x.dims.length : axis };
  return [m.node(op, [x, indices(m, dims, x.dims[axis])], attributes)];
};

const gatherElements: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(GATHERED)], ranks: [1, 5] });
  const axis = m.integer(0, x.dims.length - 1);
  const dims = x.dims.map((dim, i) => (i === axis ? m.integer(1, 6) : m.integer(1, dim)));
  return [m.node(op, [x, indices(m, dims, x.dims[axis])], { axis: m.chance(0.3) ? axis - x.dims.length : axis })];
};

/** Coordinates of `depth` axes behind each other, as GatherND and ScatterND take them. */
function coordinates(m: Maker, lead: readonly number[], extents: readonly number[], unique: boolean): Value {
  const count = elementCount(lead);
  const places = elementCount(extents);
  if (unique && count > places) throw new Unfit('more updates than places');
  const chosen = unique
    ? Array.from(m.rng.permutation(places)).slice(0, count)
    : Array.from({ length: count }, () => m.integer(0, places - 1));
  const list = chosen.flatMap((place) => {
    let rest = place;
    const row = new Array<number>(extents.length);
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      row[axis] = rest % extents[axis];
      rest = Math.floor(rest / extents[axis]);
    }
    return row.map((at, axis) => (m.chance(0.2) ? at - extents[axis] : at));
  });
  const tensor = tensorFrom('int64', [...lead, extents.length], list);
  return m.given(tensor);
}

const gatherND: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(GATHERED)], ranks: [1, 5] });
  const batch_dims = m.chance(0.3) ? m.integer(0, x.dims.length - 1) : 0;
  const batch = x.dims.slice(0, batch_dims);
  const depth = m.integer(1, x.dims.length - batch_dims);
  const lead = [...batch, ...m.dims([1, 2]).map((dim) => Math.min(dim, 5))];
  if (lead.length + x.dims.length - batch_dims - depth > 6) throw new Unfit('rank');
  const at = coordinates(m, lead, x.dims.slice(batch_dims, batch_dims + depth), false);
  return [m.node(op, [x, at], batch_dims > 0 ? { batch_dims } : {})];
};

const REDUCTIONS = [undefined, undefined, 'none', 'add', 'mul', 'max', 'min'] as const;

const scatterElements: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(['float32', 'float32', 'int32', 'int64'])], ranks: [1, 5] });
  const axis = m.integer(0, x.dims.length - 1);
  const dims = x.dims.map((dim) => m.integer(1, dim));
  const reduction = m.pick(REDUCTIONS);
  // Of two updates in one place either may win: each line has its places but once.
  const inner = elementCount(dims.slice(axis + 1));
  const list = new Array<number>(elementCount(dims));
  for (let outer = 0; outer < elementCount(dims.slice(0, axis)); outer++)
    for (let i = 0; i < inner; i++) {
      const order = m.rng.permutation(x.dims[axis]);
      for (let k = 0; k < dims[axis]; k++)
        list[(outer * dims[axis] + k) * inner + i] = order[k] - (m.chance(0.2) ? x.dims[axis] : 0);
    }
  const at = m.given(tensorFrom('int64', dims, list));
  const updates = m.want({ types: [x.type as ViewType] }, dims);
  return [m.node(op, [x, at, updates], { axis, ...(reduction ? { reduction } : {}) })];
};

const scatterND: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(['float32', 'float32', 'int32', 'int64'])], ranks: [1, 5] });
  const depth = m.integer(1, x.dims.length);
  const reduction = m.pick(REDUCTIONS);
  const lead = m.dims([1, 2]).map((dim) => Math.min(dim, 4));
  const at = coordinates(m, lead, x.dims.slice(0, depth), reduction === undefined || reduction === 'none');
  const updates = m.want({ types: [x.type as ViewType] }, [...lead, ...x.dims.slice(depth)]);
  return [m.node(op, [x, at, updates], reduction ? { reduction } : {})];
};

const oneHot: Draw = (m, op) => {
  const depth = m.integer(1, 6);
  const x = m.want({ types: ['int64', 'float32'], ranks: [0, 4], within: [-2 * depth, 2 * depth] });
  if (x.type === 'float32' && x.exact.data.some((value) => !Number.isInteger(value))) throw new Unfit('no indices');
  const rank = x.dims.length + 1;
  const values = m.fresh(x.type === 'float32' ? 'float32' : m.pick(['float32', 'int64']), [2], [-3, 3]);
  return [
    m.node(
      op,
      [x, m.scalar(x.type === 'float32' ? 'float32' : 'int64', depth), values],
      m.chance(0.3) ? {} : { axis: m.integer(-rank, rank - 1) },
    ),
  ];
};

const topK: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(['float32', 'float32', 'int32', 'int64'])], ranks: [1, 5] });
  const axis = m.integer(0, x.dims.length - 1);
  const count = m.integer(1, x.dims[axis]);
  const attributes = {
    axis: m.chance(0.3) ? axis - x.dims.length : axis,
    ...(m.chance(0.5) ? { largest: m.integer(0, 1) } : {}),
  };
  return m.nodes(op, [x, m.ints(count)], attributes, 2);
};

export const INDEXING: Draws = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  OneHot: oneHot,
  TopK: topK,
};
