import { elementCount } from '../../ir/tensor';
import { normalizeAxis } from '../../ops/axes';
import { toDense } from '../../ops/dense';
import { integerRange, scaleLayout } from '../../ops/quantizer';
import type { LayerOf } from '../layer';
import type { Lowering } from '../lowering';
import { Unsupported } from '../unsupported';
import { extentsOf, plainView, reshapeView, type View } from '../view';
import { castView } from './cast';
import { chooseViews } from './choose-views';
import { combineViews } from './combine-views';
import { compareViews } from './compare-views';
import { elementConstant } from './element-bits';
import { mapView } from './map-view';
import { layerResult, partOf } from './result';

/**
 * QuantizeLinear in floats, to the letter, for grids that int8 kernels do not have: scales that are computed or lie along an axis,
 * integers of 4 or 16 bits (which plans hold as int32). Whole numbers beyond 2^24 saturate, so that every sum is exact.
 */
export function quantizeByFormula(layer: LayerOf<'quantize'>, state: Lowering): View {
  const result = layerResult(layer);
  const { node, program } = layer;
  const { type } = state.network.typeOf(node.outputs[0])!;
  const [low, high] = integerRange(type);
  const { scale, zero } = gridOf(layer, state);
  const x = castView(partOf(result, 'float'), layer.plain(0), 'float32');
  const quotient = combineViews(partOf(result, 'quotient'), 'divide', [x, scale]);
  const steps = mapView(partOf(result, 'steps'), { operation: 'round' }, quotient);
  const from = zero ?? plainView(elementConstant(program, `${node.name}:zero`, 'float32', 0), []);
  const moved = combineViews(partOf(result, 'moved'), 'add', [steps, from], [low, high]);
  return castView(result, low === 0 ? moved : lowestForNaN(layer, moved, low), heldAs(type));
}

/** Casts make 0 of NaN, which is the lower bound of unsigned integers alone. */
function lowestForNaN(layer: LayerOf<'quantize'>, view: View, low: number): View {
  const result = layerResult(layer);
  const isNumber = compareViews(partOf(result, 'is-number'), 'equal', [view, view]);
  const lowest = plainView(elementConstant(layer.program, `${layer.node.name}:lowest`, 'float32', low), []);
  return chooseViews(partOf(result, 'saturated'), isNumber, view, lowest);
}

/** DequantizeLinear in floats, of values that are no int8 on one constant grid: `fl(fl(x - zero) * scale)`. */
export function dequantizeByFormula(layer: LayerOf<'dequantize'>, state: Lowering): View {
  const result = layerResult(layer);
  const { scale, zero } = gridOf(layer, state);
  const whole = castView(partOf(result, 'whole'), layer.plain(0), 'float32');
  const moved = zero ? combineViews(partOf(result, 'moved'), 'subtract', [whole, zero]) : whole;
  return combineViews(result, 'multiply', [moved, scale]);
}

/** The type in which plans hold integers of a type. */
function heldAs(type: string): 'int8' | 'uint8' | 'int32' {
  return type === 'int8' || type === 'uint8' ? type : 'int32';
}

/** Scale and zero point as floats that broadcast to the value; no zero point where all are 0. */
function gridOf(
  layer: LayerOf<'quantize' | 'dequantize'>,
  state: Lowering,
): { readonly scale: View; readonly zero: View | undefined } {
  const { node, program } = layer;
  const { axis, block } = scaleLayout(node);
  const extents = layer.inputExtents(0);
  const at = normalizeAxis(axis, extents.length) ?? 0;
  const placed = (view: View): View => {
    if (elementCount(extentsOf(view)) === 1) return reshapeView(view, [])!;
    if (block === 0) return reshapeView(view, [extents[at], ...extents.slice(at + 1).map(() => 1)])!;
    if (extents[at] % block !== 0)
      throw new Unsupported(`${extents[at]} elements in blocks of ${block}: the engine takes whole blocks`);
    const repeat = { extent: block, stride: 0 };
    return { ...view, dims: view.dims.map((factors, each) => (each === at ? [...factors, repeat] : factors)) };
  };
  const zeros = state.network.initializer(node.inputs[2] ?? '');
  const constant = zeros && toDense(zeros, 'float32');
  const zeroOf = (): View | undefined => {
    if (!node.inputs[2] || constant?.data.every((value) => value === 0)) return undefined;
    if (constant === undefined)
      return castView(partOf(layerResult(layer), 'zero'), state.plain(node.inputs[2]), 'float32');
    const data = Float32Array.from(constant.data);
    return plainView(program.constant(`${node.name}:zeros`, 'float32', constant.dims, data).buffer, constant.dims);
  };
  const zero = zeroOf();
  return { scale: placed(layer.float(1)), zero: zero && placed(zero) };
}
