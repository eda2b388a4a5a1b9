import type { PlanFillParams } from '../../plan/description';
import { dequantizeNumber, quantizeNumber } from '../grid';
import type { FamilyOf, LayerOf } from '../layer';
import { Unsupported } from '../unsupported';
import { broadcastView, extentsOf, reshapeView, type View } from '../view';
import { copyBehind, cuttable, fill, part, resultView } from './assemble';
import { elementBits } from './element-bits';
import { requantize } from './look-up';

/**
 * A constant Pad: fills the result, then copies the input into it. int8 moves to the grid of the result first; the int8 form
 * is taken only where the padFamily value survives it unchanged, or is quantized right behind.
 */
export const padFamily: FamilyOf<'pad'> = {
  ops: ['fill', 'copy_nd'],
  integer: {
    operands: 'first',
    grid: 'either',
    lower: (layer, { operands: [x], grid }) => {
      const { node, call, tail, program, bytes } = layer;
      const real = call.value;
      if (real === undefined) throw new Unsupported('its value is computed');
      if (bytes !== undefined) return () => fillAround(layer, x, real - (bytes === 'uint8' ? 128 : 0));
      const value = quantizeNumber(real, grid);
      if (tail.quantize === undefined && dequantizeNumber(value, grid) !== real)
        throw new Unsupported(`its value ${real} is none of the numbers that the int8 grid of its input has`);
      return () => fillAround(layer, requantize(program, `${node.name}:grid`, x, node.inputs[0], grid), value);
    },
  },
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => {
      const view = layer.plain();
      const { value } = layer.call;
      return emitPad(layer, view, value === undefined ? layer.plain(2) : elementBits(view.buffer.type, value));
    },
  },
};

function fillAround(layer: LayerOf<'pad'>, x: View, value: number): View {
  return emitPad(layer, x, { value: value & 0xff });
}

/** Emits the fill, by bits or with an element that is computed, and the copy. */
function emitPad(layer: LayerOf<'pad'>, view: View, value: PlanFillParams | View): View {
  const { node, call, program } = layer;
  const target = resultView(layer, view.buffer);
  const whole = extentsOf(target);
  const starts = call.before.map((count) => Math.max(0, -count));
  // What is left of the input where it is cut off as well.
  const given = extentsOf(view);
  const extents = given.map((extent, axis) =>
    Math.min(extent - starts[axis], whole[axis] - Math.max(0, call.before[axis])),
  );
  if (extents.some((extent, axis) => extent < whole[axis])) {
    const name = `${node.name}:fill`;
    if ('buffer' in value) program.copy(name, broadcastView(reshapeView(value, [])!, whole)!, target);
    else fill(program, name, target.buffer, value);
  }
  if (extents.every((extent) => extent > 0)) {
    const to = call.before.map((count) => Math.max(0, count));
    const axes = starts.flatMap((start, axis) => (start > 0 || extents[axis] < given[axis] ? [axis] : []));
    program.copy(node.name, part(cuttable(program, view, axes), starts, extents), part(target, to, extents));
  }
  return target;
}

/** Concat: every input is copied into its part; int8 inputs move to the grid of the result first. */
export const concatFamily: FamilyOf<'concat'> = {
  ops: ['copy_nd'],
  integer: {
    operands: 'all',
    grid: 'either',
    lower:
      (layer, { operands, grid }) =>
      () => {
        const { node, program, bytes } = layer;
        // Bytes are joined as they are: what they stand for is up to who dequantizes them.
        if (bytes !== undefined) return join(layer, operands);
        const views = operands.map((view, i) =>
          requantize(program, `${node.name}:${i}:grid`, view, node.inputs[i], grid),
        );
        return join(layer, views);
      },
  },
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => {
      const views = layer.node.inputs.map((_, index) => layer.plain(index));
      return join(layer, views);
    },
  },
};

/** Copies views one behind the other along the axis into a new buffer. */
function join(layer: LayerOf<'concat'>, views: readonly View[]): View {
  const { node, call, program } = layer;
  return copyBehind(program, `${node.name}:`, views, resultView(layer, views[0].buffer), call.axis);
}
