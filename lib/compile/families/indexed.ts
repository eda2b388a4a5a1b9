import { elementCount } from '../../ir/tensor';
import type { FamilyOf, LayerOf } from '../layer';
import type { Operand } from '../step';
import { extentsOf, plainView, type View } from '../view';
import { movingFamily } from './moving';

/** Gather: slices along an axis, by indices of any shape. */
export const gatherFamily: FamilyOf<'gather'> = movingFamily(['gather'], gather);

function gather(layer: LayerOf<'gather'>, view: View): View {
  const { call, program } = layer;
  const { buffer } = program.rowMajor(view);
  const extents = extentsOf(view);
  const [outer, inner] = [elementCount(extents.slice(0, call.axis)), elementCount(extents.slice(call.axis + 1))];
  const indices = rowMajorOperand(layer, 1);
  const count = elementCount(indices.dims);
  return emit(layer, 'gather', buffer, [outer, count, inner], {
    inputs: [{ buffer, dims: [outer, extents[call.axis], inner] }, indices],
  });
}

/** GatherElements: an index for every element of the result. */
export const gatherElementsFamily: FamilyOf<'gather-elements'> = movingFamily(['gather_elements'], gatherElements);

function gatherElements(layer: LayerOf<'gather-elements'>, view: View): View {
  const { buffer } = layer.program.rowMajor(view);
  return emit(layer, 'gather_elements', buffer, layer.extents, {
    inputs: [{ buffer, dims: extentsOf(view) }, rowMajorOperand(layer, 1)],
    params: { axis: layer.call.axis },
  });
}

/** GatherND: slices by tuples of indices, which lie along the last axis of the indices. */
export const gatherNdFamily: FamilyOf<'gather-nd'> = movingFamily(['gather_nd'], gatherNd);

function gatherNd(layer: LayerOf<'gather-nd'>, view: View): View {
  const { call, program } = layer;
  const { buffer } = program.rowMajor(view);
  const extents = extentsOf(view);
  const { buffer: indices, dims } = rowMajorOperand(layer, 1);
  const depth = dims.at(-1)!;
  const batch = elementCount(extents.slice(0, call.batchDims));
  const lengths = extents.slice(call.batchDims, call.batchDims + depth);
  const inner = elementCount(extents.slice(call.batchDims + depth));
  const count = elementCount(dims) / depth;
  return emit(layer, 'gather_nd', buffer, [count, inner], {
    inputs: [
      { buffer, dims: [batch, ...lengths, inner] },
      { buffer: indices, dims: [count, depth] },
    ],
  });
}

/** ScatterElements: an index for every update. */
export const scatterElementsFamily: FamilyOf<'scatter-elements'> = {
  ops: ['scatter_elements'],
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => {
      const { axis, combination } = layer.call;
      const [x, indices, updates] = [0, 1, 2].map((index) => rowMajorOperand(layer, index));
      return emit(layer, 'scatter_elements', x.buffer, x.dims, {
        inputs: [x, indices, updates],
        params: { axis, combination },
      });
    },
  },
};

/** ScatterND: updates of slices, at tuples of indices. */
export const scatterNdFamily: FamilyOf<'scatter-nd'> = {
  ops: ['scatter_nd'],
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => {
      const [x, indices, updates] = [0, 1, 2].map((index) => rowMajorOperand(layer, index));
      const depth = indices.dims.at(-1)!;
      const inner = elementCount(x.dims.slice(depth));
      const count = elementCount(indices.dims) / depth;
      const dims = [...x.dims.slice(0, depth), inner];
      return emit(layer, 'scatter_nd', x.buffer, dims, {
        inputs: [
          { buffer: x.buffer, dims },
          { buffer: indices.buffer, dims: [count, depth] },
          { buffer: updates.buffer, dims: [count, inner] },
        ],
        params: { axis: 0, combination: layer.call.combination },
      });
    },
  },
};

/** An input row-major, with its own extents. */
function rowMajorOperand(layer: LayerOf<IndexedKernel>, index: number): Operand {
  const view = layer.plain(index);
  return { buffer: layer.program.rowMajor(view).buffer, dims: extentsOf(view) };
}

type IndexedKernel = 'gather' | 'gather-elements' | 'gather-nd' | 'scatter-elements' | 'scatter-nd';
type IndexedOp = 'gather' | 'gather_elements' | 'gather_nd' | 'scatter_elements' | 'scatter_nd';

/** Emits the step of a layer; `like` has the type and grid of the result, which comes row-major. */
function emit<O extends IndexedOp>(
  { node, program, extents }: LayerOf<IndexedKernel>,
  op: O,
  like: Operand['buffer'],
  dims: readonly number[],
  rest: Pick<Extract<import('../step').Step, { op: O }>, 'inputs' | 'params'>,
): View {
  const buffer = program.buffer(node.outputs[0], like.type, elementCount(extents), like.quantization);
  program.emit({ name: node.name, op, outputs: [{ buffer, dims }], ...rest } as never);
  return plainView(buffer, extents);
}
