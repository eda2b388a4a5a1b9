import { sameGrid } from '../grid';
import type { FamilyOf } from '../layer';
import { relabel } from '../lowering';
import type { Network } from '../network';
import { Unsupported } from '../unsupported';
import { channelsLastOrder } from '../view';
import { requantize } from './look-up';
import { dequantizeByFormula, quantizeByFormula } from './quantize-formula';

/** QuantizeLinear where no layer absorbed it: nothing, a table between two grids, or the border kernel. */
export const quantizeFamily: FamilyOf<'quantize'> = {
  ops: ['quantize_s8', 'lut_s8', 'cast', 'binary_f32', 'unary_f32', 'compare', 'select'],
  border: (layer, state) => {
    const { node, program } = layer;
    const { network } = state;
    const quantization = network.gridOf(node);
    if (quantization === undefined) {
      state.setPlain(node.outputs[0], quantizeByFormula(layer, state));
      return;
    }
    const [input] = node.inputs;
    const [output] = node.outputs;
    const integer = state.integer(input);
    const order = wantsChannelsLast(network, output) ? channelsLastOrder(network.extents(input).length) : undefined;
    if (integer === undefined) state.setInteger(output, state.quantize(input, output, quantization, order));
    else state.setInteger(output, requantize(program, node.name, integer, output, quantization));
  },
};

/** DequantizeLinear: its output is a name for the integers, which become floats only when somebody needs them. */
export const dequantizeFamily: FamilyOf<'dequantize'> = {
  ops: ['dequantize_s8', 'cast', 'binary_f32'],
  border: (layer, state) => {
    const { node } = layer;
    const { network } = state;
    const [input] = node.inputs;
    if (node.inputs.every((name) => name === '' || network.initializer(name) !== undefined)) return;
    const quantization = network.gridOf(node);
    if (quantization === undefined) {
      state.setPlain(node.outputs[0], dequantizeByFormula(layer, state));
      return;
    }
    const known = state.integer(input);
    if (known === undefined) throw new Unsupported(`'${input}' is not available to the engine as int8`);
    const same = sameGrid(known.quantization, quantization);
    state.setInteger(node.outputs[0], same ? known : relabel(known, quantization));
  },
};

/** Images are wanted channels last, and sequences where a window slides over them. */
function wantsChannelsLast(network: Network, quantized: string): boolean {
  const rank = network.extents(quantized).length;
  if (rank !== 3) return rank === 4;
  const readers = network.readersOf(quantized).flatMap(({ outputs }) => network.readersOf(outputs[0]));
  return readers.some((reader) => {
    const call = network.findKernel(reader);
    return call !== undefined && 'window' in call;
  });
}
