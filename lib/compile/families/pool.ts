import type { Window } from '../../ops/kernel-call';
import type { PlanWindow } from '../../plan/description';
import { PLAN_MAX_POOL_AREA } from '../../plan/format';
import { clampCodes } from '../grid';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { type Operand, type Quantization, stepName } from '../step';
import { Unsupported } from '../unsupported';
import type { View } from '../view';
import { imageOperand, imageResult, planWindow } from './image';

/** On int8 a max pool keeps scale and zero point, so nothing but bytes move. */
export const maxPoolFamily: FamilyOf<'max-pool'> = {
  ops: ['max_pool_s8', 'max_pool_f32'],
  integer: {
    operands: 'first',
    grid: 'operand',
    lower:
      (layer, { operands: [x], grid }) =>
      () =>
        emitMaxPool(layer, x, grid),
  },
  float: { fuses: false, lower: (layer) => emitMaxPool(layer, layer.float()) },
};

function emitMaxPool(layer: LayerOf<'max-pool'>, x: View, grid?: Quantization): View {
  const { node, call, program } = layer;
  const source = imageOperand(layer, x);
  const { operand, view } = imageResult(layer, grid);
  program.emit({
    name: node.name,
    op: grid ? 'max_pool_s8' : 'max_pool_f32',
    outputs: [operand],
    inputs: [source],
    params: { window: planWindow(call.window, source, operand) },
  });
  return view;
}

/** Average pools, global ones among them. */
export const averagePoolFamily: FamilyOf<'average-pool'> = {
  ops: ['average_pool_s8', 'average_pool_f32'],
  integer: { operands: 'first', grid: 'result', lower: lowerIntegerAverage },
  float: { fuses: false, lower: lowerFloatAverage },
};

function lowerIntegerAverage(layer: LayerOf<'average-pool'>, { operands: [x], grid }: Integers): () => View {
  const { node, call, tail, program } = layer;
  requireRatio(x.quantization.scale, grid.scale);
  return () => {
    const source = imageOperand(layer, x);
    const { operand, view } = imageResult(layer, grid);
    program.emit({
      name: stepName(node, tail),
      op: 'average_pool_s8',
      outputs: [operand],
      inputs: [source],
      params: {
        window: poolWindow(call.window, source, operand),
        countIncludePad: call.countIncludePad,
        clamp: clampCodes(tail.bounds, grid),
      },
    });
    return view;
  };
}

function lowerFloatAverage(layer: LayerOf<'average-pool'>): View {
  const { node, call, program } = layer;
  const source = imageOperand(layer, layer.float());
  const { operand, view } = imageResult(layer);
  const params = { window: poolWindow(call.window, source, operand), countIncludePad: call.countIncludePad };
  program.emit({ name: node.name, op: 'average_pool_f32', outputs: [operand], inputs: [source], params });
  return view;
}

/** @throws Unsupported when the factor between two scales is no positive float32: grids that far apart average in float */
export function requireRatio(from: number, to: number): void {
  const ratio = Math.fround(from / to);
  if (!(ratio > 0) || !Number.isFinite(ratio)) throw new Unsupported(`${from} / ${to} is no positive float32`);
}

/** @throws Unsupported for windows that the loader of plans refuses */
function poolWindow(window: Window, x: Operand, y: Operand): PlanWindow {
  const area = window.kernel[0] * window.kernel[1];
  if (area > PLAN_MAX_POOL_AREA)
    throw new Unsupported(`its window has ${area} elements (the engine averages up to ${PLAN_MAX_POOL_AREA})`);
  return planWindow(window, x, y);
}
