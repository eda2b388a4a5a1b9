import type { FamilyOf, LayerOf } from '../layer';
import type { Program } from '../program';
import { extentsOf, moveView, type View } from '../view';
import { elementConstant } from './element-bits';
import { windowPasses } from './image';
import { emitAverages } from './pool';

/** Norms of windows: powers, their averages, roots, and back from averages to sums by a factor. */
export const lpPoolFamily: FamilyOf<'lp-pool'> = {
  ops: ['unary_f32', 'average_pool_f32', 'binary_f32'],
  float: {
    fuses: false,
    lower: (layer) => {
      const { node, call, program } = layer;
      const { window, power } = call;
      const x = program.dense(layer.float());
      const sized = power === 2 ? mapped(program, node.name, x, 'square') : mapped(program, node.name, x, 'abs');
      const powers = power > 2 ? mapped(program, node.name, sized, 'power', power) : sized;
      const averages = emitAverages(layer, powers, windowPasses(window, extentsOf(x), layer.extents), true);
      const roots =
        power === 1
          ? averages
          : power === 2
            ? mapped(program, node.name, averages, 'sqrt')
            : mapped(program, node.name, averages, 'power', 1 / power);
      return scaled(layer, roots);
    },
  },
};

/** A function of every element. */
function mapped(
  program: Program,
  name: string,
  x: View,
  operation: 'abs' | 'square' | 'sqrt' | 'power',
  alpha = 0,
): View {
  const buffer = program.buffer(`${name}:${operation}`, 'float32', x.buffer.count);
  const dims = [buffer.count];
  const params = { operation, alpha } as const;
  program.emit({ name, op: 'unary_f32', outputs: [{ buffer, dims }], inputs: [{ buffer: x.buffer, dims }], params });
  return moveView(x, buffer);
}

/** Roots of averages times the root of how many they are of. */
function scaled({ node, call, program }: LayerOf<'lp-pool'>, x: View): View {
  const { kernel, depth } = call.window;
  const area = kernel[0] * kernel[1] * (depth?.kernel ?? 1);
  const factor = elementConstant(program, `${node.name}:factor`, 'float32', area ** (1 / call.power));
  const buffer = program.buffer(node.outputs[0], 'float32', x.buffer.count);
  const dims = [buffer.count];
  program.emit({
    name: node.name,
    op: 'binary_f32',
    outputs: [{ buffer, dims }],
    inputs: [
      { buffer: x.buffer, dims },
      { buffer: factor, dims: [1] },
    ],
    params: { operation: 'multiply' },
  });
  return moveView(x, buffer);
}
