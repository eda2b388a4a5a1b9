import { elementCount } from '../../ir/tensor';
import { PLAN_MAX_POOL_AREA } from '../../plan/format';
import { cutLengths } from '../cut-lengths';
import { clampCodes, floatClamp } from '../grid';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { stepName } from '../step';
import { Unsupported } from '../unsupported';
import { plainView, sliceView, type View } from '../view';
import { accumulateView } from './accumulate-view';
import { requireRatio } from './pool';
import { tailResult } from './result';

/** Reductions that accumulate. On int8 there is the mean: an average pool whose one window is as long as what is reduced. */
export const accumulateFamily: FamilyOf<'accumulate'> = {
  ops: ['reduce_f32', 'average_pool_s8', 'cumulative_sum'],
  integer: { operands: 'first', grid: 'result', lower: lowerMean },
  float: {
    fuses: true,
    types: ['int32', 'int64'],
    lower: (layer) => {
      const { call, tail } = layer;
      if (!layer.isReal) return sumIntegers(layer);
      return accumulateView(tailResult(layer), call.operation, layer.float(), call.axes, floatClamp(tail.bounds));
    },
  },
};

/** A sum of integers is the last of their running sums. */
function sumIntegers(layer: LayerOf<'accumulate'>): View {
  const { node, call, program, extents } = layer;
  if (call.operation !== 'sum') throw new Unsupported('the engine has a float kernel for it, none for integers');
  const { source, outer, length, inner, reduced } = cutLengths(program, layer.plain(), call.axes, extents.length);
  const sums = program.buffer(`${node.name}:sums`, layer.type, source.buffer.count);
  const dims = [outer, length, inner];
  program.emit({
    name: node.name,
    op: 'cumulative_sum',
    outputs: [{ buffer: sums, dims }],
    inputs: [{ buffer: source.buffer, dims }],
    params: { exclusive: false, reverse: false },
  });
  const last = plainView(sums, dims);
  const buffer = program.buffer(node.outputs[0], layer.type, outer * inner);
  program.copy(
    `${node.name}:last`,
    sliceView(last, [0, length - 1, 0], [1, 1, 1], [outer, 1, inner])!,
    plainView(buffer, [outer, 1, inner]),
  );
  return { buffer, offset: 0, dims: reduced };
}

function lowerMean(layer: LayerOf<'accumulate'>, { operands: [x], grid }: Integers): () => View {
  const { node, call, tail, program } = layer;
  if (call.operation !== 'mean') throw new Unsupported('the engine has a float kernel for it, none for int8');
  const elements = elementCount(call.axes.map((axis) => layer.inputExtents(0)[axis]));
  if (elements > PLAN_MAX_POOL_AREA)
    throw new Unsupported(`it averages ${elements} elements (the engine averages up to ${PLAN_MAX_POOL_AREA} as int8)`);
  requireRatio(x.quantization.scale, grid.scale);
  return () => {
    const { source, outer, length, inner, reduced } = cutLengths(program, x, call.axes, layer.extents.length);
    const buffer = program.buffer(tail.quantize!.value, 'int8', outer * inner, grid);
    program.emit({
      name: stepName(node, tail),
      op: 'average_pool_s8',
      outputs: [{ buffer, dims: [outer, 1, 1, inner] }],
      inputs: [{ buffer: source.buffer, dims: [outer, length, 1, inner] }],
      params: {
        window: { kernel: [length, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] },
        clamp: clampCodes(tail.bounds, grid),
      },
    });
    return { buffer, offset: 0, dims: reduced };
  };
}
