import { composeBounds, floatClamp } from '../grid';
import type { FamilyOf } from '../layer';
import { stepName } from '../step';
import { moveView } from '../view';
import { lookUp } from './look-up';

/** Functions of one number: a table between int8 grids; in float a clamp, or the function that the operator names. */
export const unaryFamily: FamilyOf<'unary'> = {
  ops: ['lut_s8', 'clamp_f32', 'unary_f32'],
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
    lower: (layer) => {
      const { node, call, tail, program } = layer;
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
