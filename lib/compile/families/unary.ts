import { composeBounds, floatClamp } from '../grid';
import type { FamilyOf } from '../layer';
import { stepName } from '../step';
import { Unsupported } from '../unsupported';
import { moveView } from '../view';
import { lookUp } from './look-up';

/** Functions of one number: a table between int8 grids; in float only clamps. */
export const unary: FamilyOf<'unary'> = {
  ops: ['lut_s8', 'clamp_f32'],
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
      if (call.clamp === undefined) throw new Unsupported('the engine has an int8 kernel for it, none for float');
      const source = program.dense(layer.float());
      const buffer = program.buffer(tail.value, 'float32', source.buffer.count);
      const dims = [buffer.count];
      program.emit({
        name: stepName(node, tail),
        op: 'clamp_f32',
        outputs: [{ buffer, dims }],
        inputs: [{ buffer: source.buffer, dims }],
        params: floatClamp(composeBounds(call.clamp, tail.bounds)),
      });
      return moveView(source, buffer);
    },
  },
};
