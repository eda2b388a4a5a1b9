import type { IntegerOperation } from '../../core/integer-operation';
import { composeBounds, floatClamp } from '../grid';
import type { FamilyOf, LayerOf } from '../layer';
import { stepName } from '../step';
import { Unsupported } from '../unsupported';
import { moveView, plainView, type View } from '../view';
import { combineIntegers } from './combine-integers';
import { elementConstant } from './element-bits';
import { WHOLE_TYPES } from './integer';
import { lookUp } from './look-up';
import { layerResult, partOf, type Result } from './result';

/** Functions of one number: a table between int8 grids; in float a clamp, or the function that the operator names. */
export const unaryFamily: FamilyOf<'unary'> = {
  ops: ['lut_s8', 'clamp_f32', 'unary_f32', 'binary_int'],
  integer: {
    operands: 'first',
    grid: 'result',
    lower:
      ({ node, call, tail, program }, { operands: [x], grid }) =>
      () => {
        const [low, high] = tail.bounds;
        return lookUp(program, stepName(node, tail), x, tail.quantize!.value, grid, (real) =>
          Math.min(Math.max(call.table(real), low), high),
        );
      },
  },
  float: {
    fuses: true,
    types: WHOLE_TYPES,
    lower: (layer) => {
      const { node, call, tail, program } = layer;
      if (!layer.isReal) return ofIntegers(layer);
      const source = program.dense(layer.float());
      const buffer = program.buffer(tail.value, 'float32', source.buffer.count);
      const dims = [buffer.count];
      const step = {
        name: stepName(node, tail),
        outputs: [{ buffer, dims }],
        inputs: [{ buffer: source.buffer, dims }],
      };
      if (call.clamp) {
        const params = floatClamp(composeBounds(call.clamp, tail.bounds));
        program.emit({ ...step, op: 'clamp_f32', params });
      } else program.emit({ ...step, op: 'unary_f32', params: { ...call.float, clamp: floatClamp(tail.bounds) } });
      return moveView(source, buffer);
    },
  },
};

/** A function of integers by operations on two of them. */
function ofIntegers(layer: LayerOf<'unary'>): View {
  const { call } = layer;
  const [result, x] = [layerResult(layer), layer.plain()];
  if (call.clamp) return clampIntegers(result, x, call.clamp);
  switch (call.float.operation) {
    case 'negate':
      return withNumber(result, 'multiply', x, -1);
    case 'abs':
      return combineIntegers(result, 'maximum', [x, withNumber(partOf(result, 'negated'), 'multiply', x, -1)]);
    case 'square':
      return combineIntegers(result, 'multiply', [x, x]);
    case 'sign':
      return clampIntegers(result, x, [-1, 1]);
    default:
      throw new Unsupported('the engine computes it on floats alone');
  }
}

/** Integers between bounds, of which the upper one wins; infinite bounds are none. */
function clampIntegers(result: Result, x: View, [low, high]: readonly [number, number]): View {
  const above = Number.isFinite(low) ? withNumber(partOf(result, 'low'), 'maximum', x, Math.ceil(low)) : x;
  return Number.isFinite(high) ? withNumber(partOf(result, 'high'), 'minimum', above, Math.floor(high)) : above;
}

function withNumber(result: Result, operation: IntegerOperation, x: View, number: number): View {
  const constant = elementConstant(result.program, `${result.name}:number`, x.buffer.type, number);
  return combineIntegers(result, operation, [x, plainView(constant, [])]);
}
