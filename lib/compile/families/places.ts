import { elementCount } from '../../ir/tensor';
import type { FamilyOf, LayerOf } from '../layer';
import type { Program } from '../program';
import type { Operand } from '../step';
import { Unsupported } from '../unsupported';
import { extentsOf, plainView, sliceView, type View } from '../view';
import { movingFamily } from './moving';

/** Places of elements that are not 0: as many columns as there may be, and how many there are. */
export const nonZeroFamily: FamilyOf<'non-zero'> = {
  ops: ['non_zero'],
  float: {
    fuses: false,
    types: ['int64'],
    lower: (layer) => {
      const { places, count } = findPlaces(layer.program, layer.node.name, layer.filled(0, 0));
      layer.setCount(1, count);
      return places;
    },
  },
};

/** Emits a search for what is not 0: places [rank, elements], and their number. */
export function findPlaces(program: Program, name: string, x: View): { readonly places: View; readonly count: View } {
  const dims = extentsOf(x);
  const size = elementCount(dims);
  const [places, count] = [dims.length * size, 1].map((elements, index) =>
    program.buffer(`${name}:${['places', 'count'][index]}`, 'int64', elements),
  );
  program.emit({
    name,
    op: 'non_zero',
    outputs: [
      { buffer: places, dims: [dims.length, size] },
      { buffer: count, dims: [] },
    ],
    inputs: [{ buffer: program.rowMajor(x).buffer, dims }],
  });
  return { places: plainView(places, [dims.length, size]), count: plainView(count, []) };
}

/** Slices, or elements, where a condition is true: the places of the truths, then what lies there. */
export const compressFamily = movingFamily<'compress'>(['non_zero', 'gather'], compress);

function compress(layer: LayerOf<'compress'>, x: View): View {
  const { call, program, node } = layer;
  const axis = call.axis ?? 0;
  const given = extentsOf(x);
  const dims = call.axis === undefined ? [elementCount(given)] : given;
  const condition = layer.filled(1, 0);
  // Conditions beyond the axis would point at nothing.
  const length = Math.min(dims[axis], extentsOf(condition)[0]);
  const asked =
    length < extentsOf(condition)[0] ? sliceView(program.rowMajor(condition), [0], [1], [length])! : condition;
  const { places, count } = findPlaces(program, `${node.name}:places`, asked);
  layer.setCount(axis, count);
  const view = gatherSlices(program, node.name, program.rowMajor(x), {
    outer: elementCount(dims.slice(0, axis)),
    length: dims[axis],
    inner: elementCount(dims.slice(axis + 1)),
    places: { buffer: places.buffer, dims: [length] },
  });
  return plainView(view.buffer, layer.extents);
}

/** Emits a look-up of the slices [outer, length, inner] of a row-major view. */
export function gatherSlices(
  program: Program,
  name: string,
  x: View,
  {
    outer,
    length,
    inner,
    places,
  }: { readonly outer: number; readonly length: number; readonly inner: number; readonly places: Operand },
): View {
  const count = elementCount(places.dims);
  const { type, quantization } = x.buffer;
  const buffer = program.buffer(name, type, outer * count * inner, quantization);
  program.emit({
    name,
    op: 'gather',
    outputs: [{ buffer, dims: [outer, count, inner] }],
    inputs: [{ buffer: x.buffer, dims: [outer, length, inner] }, places],
  });
  return plainView(buffer, [outer, count, inner]);
}

/** Boxes that do not overlap: as many rows as there may be, and how many there are. */
export const nonMaxSuppressionFamily: FamilyOf<'non-max-suppression'> = {
  ops: ['non_max_suppression'],
  float: {
    fuses: false,
    types: ['int64'],
    lower: (layer) => {
      const { node, call, program, extents } = layer;
      const [boxes, scores] = [0, 1].map((index): Operand => {
        const view = layer.plain(index);
        return { buffer: program.rowMajor(view).buffer, dims: extentsOf(view) };
      });
      const number = (index: number): Operand | undefined => {
        if (!node.inputs[index]) return undefined;
        const view = layer.plain(index);
        if (elementCount(extentsOf(view)) !== 1) throw new Unsupported(`input ${index} is no single number`);
        return { buffer: program.rowMajor(view).buffer, dims: [] };
      };
      const names = ['count', 'order'];
      const [count, order] = [1, boxes.dims[1]].map((elements, index) =>
        program.buffer(`${node.name}:${names[index]}`, index === 0 ? 'int64' : 'int32', elements),
      );
      const buffer = program.buffer(node.outputs[0], 'int64', elementCount(extents));
      const filled = layer.countOf(1, 2);
      program.emit({
        name: node.name,
        op: 'non_max_suppression',
        outputs: [
          { buffer, dims: extents },
          { buffer: count, dims: [] },
          { buffer: order, dims: [order.count] },
        ],
        inputs: [
          boxes,
          scores,
          number(2),
          number(3),
          number(4),
          filled && { buffer: program.rowMajor(filled).buffer, dims: [] },
        ],
        params: { centered: call.centered, most: extents[0] / (scores.dims[0] * scores.dims[1]) },
      });
      layer.setCount(0, plainView(count, []));
      return plainView(buffer, extents);
    },
  },
};
