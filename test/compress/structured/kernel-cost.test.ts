import { kernelCost } from '../../../lib/compress/structured/kernel-cost';
import { ISAS, type Isa } from '../../../lib/compress/target';
import { attributes } from '../../../lib/ir/attribute';
import type { Node, ValueType } from '../../../lib/ir/graph';

const SIDE = 8;

interface Layer {
  readonly kernel?: number;
  readonly depthwise?: boolean;
  readonly stride?: number;
  readonly summed?: boolean;
}

/** Cost of a layer with so many inputs and outputs: a convolution (of `kernel` or depthwise) on 8x8 pixels, or a fully connected one. */
function costOf(isa: Isa, layer: Layer, from: number, to: number) {
  const { kernel, depthwise = false, stride = 1, summed = false } = layer;
  const typed = (shape: readonly number[]): ValueType => ({ type: 'float32', shape });
  const node = (op: string, values: object): Node => ({
    name: 'layer',
    op,
    domain: '',
    inputs: ['x', 'w'],
    outputs: ['y'],
    attributes: attributes(values as Parameters<typeof attributes>[0]),
  });
  if (kernel === undefined)
    return kernelCost(isa, node('Gemm', {}), [typed([1, from]), typed([from, to])], [typed([1, to])], {
      macs: from * to,
    });
  const weight = depthwise ? [to, 1, kernel, kernel] : [to, from, kernel, kernel];
  const conv = node('Conv', { group: depthwise ? to : 1, strides: [stride, stride] });
  const output = typed([1, to, SIDE, SIDE]);
  const macs = SIDE * SIDE * to * (depthwise ? 1 : from) * kernel * kernel;
  const input = typed([1, depthwise ? to : from, SIDE, SIDE]);
  return kernelCost(isa, conv, [input, typed(weight)], [output], { macs, summed });
}

describe('time that kernels take', () => {
  // Blocks of output channels: `to` costs as much as the full block, `below` less.
  test.each<[Isa, object, number, number, number]>([
    ['avx512vnni', { kernel: 3 }, 24, 32, 16],
    ['avx512vnni', { kernel: 1 }, 9, 16, 8],
    ['avx512vnni', { kernel: 3, depthwise: true }, 48, 64, 32],
    ['avx512vnni', { kernel: 3, depthwise: true, stride: 2 }, 24, 64, 16],
    ['avx512vnni', { kernel: 3, depthwise: true, stride: 2 }, 8, 16, 0],
    ['avx512vnni', {}, 17, 32, 16],
    ['avx512vnni', { kernel: 3, summed: true }, 8, 16, 0],
    ['avx2', { kernel: 3 }, 8, 16, 0],
    ['avx2', { kernel: 3, depthwise: true }, 17, 32, 16],
    ['neon', { kernel: 3 }, 5, 8, 4],
    ['neon', {}, 5, 8, 4],
    ['neon_dotprod', { kernel: 3 }, 8, 16, 0],
    ['neon_i8mm', { kernel: 3 }, 17, 32, 16],
    ['neon_i8mm', {}, 8, 16, 0],
    ['ref', { kernel: 3 }, 7, 7, 6],
  ])('%s %j: %i outputs cost what %i do, more than %i', (isa, layer, to, full, below) => {
    expect(costOf(isa, layer, 16, to)).toBe(costOf(isa, layer, 16, full));
    if (below > 0) expect(costOf(isa, layer, 16, below)).toBeLessThan(costOf(isa, layer, 16, to));
  });

  // Summed elements: each row of the window is padded on its own, or the window as a whole.
  test.each<[Isa, object, number, number, number]>([
    ['avx512vnni', { kernel: 1 }, 13, 16, 12],
    ['avx2', { kernel: 1 }, 15, 16, 14],
    ['neon', { kernel: 1 }, 17, 32, 16],
    ['neon_dotprod', { kernel: 1 }, 13, 16, 12],
    ['neon_i8mm', { kernel: 1 }, 9, 16, 8],
  ])('%s %j: %i inputs cost what %i do, more than %i', (isa, layer, from, full, below) => {
    expect(costOf(isa, layer, from, 32)).toBe(costOf(isa, layer, full, 32));
    expect(costOf(isa, layer, below, 32)).toBeLessThan(costOf(isa, layer, from, 32));
  });

  test('eight outputs cost nearly three quarters of sixteen on AVX-512, where pixels go in pairs', () => {
    const ratio = costOf('avx512vnni', { kernel: 3 }, 16, 8) / costOf('avx512vnni', { kernel: 3 }, 16, 16);
    expect(ratio).toBeCloseTo(0.72, 6);
  });

  test('a sum of two activations costs for each element, a bias nothing', () => {
    const add: Node = { name: 'add', op: 'Add', domain: '', inputs: ['a', 'b'], outputs: ['y'], attributes: new Map() };
    const typed = (...shape: number[]): ValueType => ({ type: 'float32', shape });
    const costWith = (other: ValueType) =>
      kernelCost('avx2', add, [typed(1, 8, 4, 4), other], [typed(1, 8, 4, 4)], { macs: 0 });
    expect(costWith(typed(1, 8, 4, 4))).toBeCloseTo(40 * 2.6 * 128, 6);
    expect(costWith(typed(8, 1, 1))).toBe(0);
  });

  test.each(Object.keys(ISAS) as Isa[])('%s: what no int8 kernel multiplies costs its MACs', (isa) => {
    const lstm: Node = { name: 'lstm', op: 'LSTM', domain: '', inputs: [], outputs: [], attributes: new Map() };
    expect(kernelCost(isa, lstm, [], [{ type: 'float32', shape: [1, 1, 1, 4] }], { macs: 123 })).toBe(123);
  });
});
