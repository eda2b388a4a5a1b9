import { kernelCost } from '../../../lib/compress/structured/kernel-cost';
import { ISAS, type Isa } from '../../../lib/compress/target';
import { attributes } from '../../../lib/ir/attribute';
import type { Node, ValueType } from '../../../lib/ir/graph';

interface Layer {
  readonly kernel?: number;
  readonly depthwise?: boolean;
  readonly stride?: number;
  readonly summed?: boolean;
  /** Output pixels along a side. */
  readonly side?: number;
}

/** Cost of a layer with so many inputs and outputs: a convolution (of `kernel` or depthwise) on square pictures, or a fully connected one. */
function costOf(isa: Isa, layer: Layer, from: number, to: number) {
  const { kernel, depthwise = false, stride = 1, summed = false, side = 8 } = layer;
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
  const output = typed([1, to, side, side]);
  const macs = side * side * to * (depthwise ? 1 : from) * kernel * kernel;
  const input = typed([1, depthwise ? to : from, side * stride, side * stride]);
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

  // Summed elements, but for their copy: each row of the window is padded on its own, or the window as a whole.
  test.each<[Isa, object, number, number, number]>([
    ['avx512vnni', { kernel: 1 }, 13, 16, 12],
    ['avx2', { kernel: 1 }, 15, 16, 14],
    ['neon', { kernel: 1 }, 17, 32, 16],
    ['neon_dotprod', { kernel: 1 }, 13, 16, 12],
    ['neon_i8mm', { kernel: 1 }, 9, 16, 8],
  ])('%s %j: %i inputs cost nearly what %i do, much more than %i', (isa, layer, from, full, below) => {
    const [spared, saved] = [full, from].map((inputs, index) => {
      return costOf(isa, layer, inputs, 32) - costOf(isa, layer, [from, below][index], 32);
    });
    expect(spared).toBeLessThan(0.15 * saved);
  });

  // Least times in ns by the profile of mobilenetv1_025 and resnet20, both instruction sets on one machine in turns.
  test.each<[Layer, number, number, avx512vnni: number, avx2: number]>([
    [{ kernel: 1, side: 48 }, 8, 16, 4320, 8390],
    [{ kernel: 1, side: 24 }, 16, 32, 2550, 6230],
    [{ kernel: 1, side: 24 }, 32, 32, 3910, 9940],
    [{ kernel: 1, side: 12 }, 64, 64, 3140, 8270],
    [{ kernel: 1, side: 6 }, 128, 128, 2840, 7450],
    [{ kernel: 1, side: 3 }, 256, 256, 2760, 7520],
    [{ kernel: 3, side: 32 }, 16, 16, 11660, 29800],
    [{ kernel: 3, side: 8 }, 64, 64, 10510, 27400],
    [{ kernel: 3, depthwise: true, side: 24 }, 32, 32, 2750, 6440],
    [{ kernel: 3, depthwise: true, side: 12 }, 64, 64, 1210, 3480],
    [{ kernel: 3, depthwise: true, side: 6 }, 128, 128, 750, 2010],
    [{ kernel: 3, depthwise: true, side: 24, stride: 2 }, 16, 16, 4250, 4230],
  ])('%j, %i to %i channels: the share of time that was measured', (layer, from, to, ...measured) => {
    const NS_PER_COST = 0.0694 / 16;
    (['avx512vnni', 'avx2'] as const).forEach((isa, index) => {
      const ratio = (costOf(isa, layer, from, to) * NS_PER_COST) / measured[index];
      expect(ratio).toBeGreaterThan(0.9);
      expect(ratio).toBeLessThan(1.4);
    });
  });

  test('eight outputs cost nearly three quarters of sixteen on AVX-512, where pixels go in pairs', () => {
    const ratio = costOf('avx512vnni', { kernel: 3 }, 16, 8) / costOf('avx512vnni', { kernel: 3 }, 16, 16);
    expect(ratio).toBeCloseTo(0.744, 3);
  });

  test('a sum of two activations costs for each element, a bias nothing', () => {
    const add: Node = { name: 'add', op: 'Add', domain: '', inputs: ['a', 'b'], outputs: ['y'], attributes: new Map() };
    const typed = (...shape: number[]): ValueType => ({ type: 'float32', shape });
    const costWith = (other: ValueType) =>
      kernelCost('avx2', add, [typed(1, 8, 4, 4), other], [typed(1, 8, 4, 4)], { macs: 0 });
    // Along with a convolution, whose blocks have 16 channels.
    expect(costWith(typed(1, 8, 4, 4))).toBe(50 * 16 * 16);
    expect(costWith(typed(8, 1, 1))).toBe(0);
  });

  test.each(Object.keys(ISAS) as Isa[])('%s: what no int8 kernel multiplies costs its MACs', (isa) => {
    const lstm: Node = { name: 'lstm', op: 'LSTM', domain: '', inputs: [], outputs: [], attributes: new Map() };
    expect(kernelCost(isa, lstm, [], [{ type: 'float32', shape: [1, 1, 1, 4] }], { macs: 123 })).toBe(123);
  });
});
