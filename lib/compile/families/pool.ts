import { elementCount } from '../../ir/tensor';
import type { PlanWindow } from '../../plan/description';
import { PLAN_MAX_POOL_AREA } from '../../plan/format';
import { clampCodes } from '../grid';
import type { FamilyOf, Integers, LayerOf, LoweredLayer } from '../layer';
import { type Buffer, type Operand, type Quantization, stepName } from '../step';
import { Unsupported } from '../unsupported';
import { channelsLastOrder, extentsOf, stridedView, type View } from '../view';
import { fill, part, resultView } from './assemble';
import { elementBits } from './element-bits';
import { planWindow, type WindowPass, windowPasses } from './image';

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
  const passes = windowPasses(layer.call.window, extentsOf(x), layer.extents);
  return runPasses(layer, x, passes, grid, (name, { window }, source, target) => {
    const op = grid ? 'max_pool_s8' : 'max_pool_f32';
    const params = { window: planWindow(window, source, target) };
    layer.program.emit({ name, op, outputs: [target], inputs: [source], params });
  });
}

/** Average pools, global ones among them. */
export const averagePoolFamily: FamilyOf<'average-pool'> = {
  ops: ['average_pool_s8', 'average_pool_f32'],
  integer: { operands: 'first', grid: 'result', lower: lowerIntegerAverage },
  float: { fuses: false, lower: lowerFloatAverage },
};

function lowerIntegerAverage(layer: LayerOf<'average-pool'>, { operands: [x], grid }: Integers): () => View {
  const { call, tail, program } = layer;
  requireRatio(x.quantization.scale, grid.scale);
  const passes = averagePasses(layer, x);
  if (passes.length > 1) throw new Unsupported('it has three spatial axes, which int8 would round twice');
  return () =>
    runPasses(layer, surround(layer, x, x.quantization.zeroPoint), passes, grid, (name, { window }, source, target) => {
      const clamp = clampCodes(tail.bounds, grid);
      const params = { window: poolWindow(window, source, target), countIncludePad: call.countIncludePad, clamp };
      program.emit({ name, op: 'average_pool_s8', outputs: [target], inputs: [source], params });
    });
}

function lowerFloatAverage(layer: LayerOf<'average-pool'>): View {
  const x = layer.float();
  return emitAverages(layer, surround(layer, x, 0), averagePasses(layer, x), layer.call.countIncludePad);
}

/** Emits float averages: those of averages are averages, since windows are boxes. */
export function emitAverages(
  layer: LoweredLayer,
  x: View,
  passes: readonly WindowPass[],
  countIncludePad: boolean,
): View {
  return runPasses(layer, x, passes, undefined, (name, { window }, source, target) => {
    const params = { window: poolWindow(window, source, target), countIncludePad };
    layer.program.emit({ name, op: 'average_pool_f32', outputs: [target], inputs: [source], params });
  });
}

/** A global pool over a volume is one window over all elements, as that over an image. */
function averagePasses({ call, extents }: LayerOf<'average-pool'>, x: View): readonly WindowPass[] {
  const [n, c, ...spatial] = extentsOf(x);
  if (!call.global || spatial.length < 3)
    return windowPasses(call.window, surrounded(call.around, extentsOf(x)), extents);
  const all = elementCount(spatial);
  const window = { kernel: [1, all], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0] } as const;
  return [{ window, from: [n, 1, all, c], to: [n, 1, 1, c] }];
}

/** Extents with padding that counts as elements. */
function surrounded(around: readonly number[] | undefined, extents: readonly number[]): readonly number[] {
  if (around === undefined) return extents;
  const rank = extents.length - 2;
  return extents.map((extent, axis) => (axis < 2 ? extent : around[axis - 2] + extent + around[axis - 2 + rank]));
}

/** The input with the zeros around it that count as elements. */
function surround(layer: LayerOf<'average-pool'>, x: View, zero: number): View {
  const { around } = layer.call;
  if (around === undefined) return x;
  const extents = extentsOf(x);
  const { node, program } = layer;
  const target = resultView(layer, x.buffer, surrounded(around, extents));
  fill(program, `${node.name}:fill`, target.buffer, elementBits(x.buffer.type, zero));
  program.copy(`${node.name}:around`, x, part(target, [0, 0, ...around.slice(0, extents.length - 2)], extents));
  return target;
}

/** Runs windows one behind the other over channels-last memory, and returns the view of what the last one makes. */
function runPasses(
  layer: LoweredLayer,
  x: View,
  passes: readonly WindowPass[],
  grid: Quantization | undefined,
  emit: (name: string, pass: WindowPass, source: Operand, target: Operand) => void,
): View {
  const { node, program, tail, extents } = layer;
  const value = grid && tail.quantize ? tail.quantize.value : tail.value;
  let buffer: Buffer = program.arrange(x, channelsLastOrder(x.dims.length)).buffer;
  for (const pass of passes) {
    const source = { buffer, dims: pass.from };
    buffer = program.buffer(value, grid ? 'int8' : 'float32', elementCount(pass.to), grid);
    emit(stepName(node, tail), pass, source, { buffer, dims: pass.to });
  }
  return stridedView(buffer, extents, channelsLastOrder(extents.length));
}

/** @throws Unsupported when the factor between two scales is no positive float32: grids that far apart average in float */
export function requireRatio(from: number, to: number): void {
  const ratio = Math.fround(from / to);
  if (!(ratio > 0) || !Number.isFinite(ratio)) throw new Unsupported(`${from} / ${to} is no positive float32`);
}

/** @throws Unsupported for windows that the loader of plans refuses */
function poolWindow(window: WindowPass['window'], x: Operand, y: Operand): PlanWindow {
  const area = window.kernel[0] * window.kernel[1];
  if (area > PLAN_MAX_POOL_AREA)
    throw new Unsupported(`its window has ${area} elements (the engine averages up to ${PLAN_MAX_POOL_AREA})`);
  return planWindow(window, x, y);
}
