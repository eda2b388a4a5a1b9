import { attribute } from '../../ir/attribute';
import { transposeTo } from '../gradients';
import { attributesBut, type CompositeContext, constantInput, needed } from './composite';

/** com.microsoft QLinearConv: that of ONNX, over images whose channels may be last. */
export function quantizedConv(context: CompositeContext): readonly string[] {
  const { node, emit, input } = context;
  const others = node.inputs.slice(1).map((_, index) => input(index + 1) ?? '');
  const convolve = (x: string) => emit.node('QLinearConv', [x, ...others], attributesBut(node, ['channels_last']));
  // Weights have as many axes as the images, and are known before the shapes of a chain of such layers.
  const rank = () => constantInput(context, 3, 'weights').dims.length;
  return [
    attribute(node, 'channels_last', 'int', 0) ? turned(context, rank(), convolve) : convolve(needed(context, 0)),
  ];
}

/** com.microsoft QLinearAveragePool and QLinearGlobalAveragePool: the pool on dequantized images whose channels may be last. */
export function quantizedPool(op: 'AveragePool' | 'GlobalAveragePool') {
  return (context: CompositeContext): readonly string[] => {
    const { node, emit, input, rankOf } = context;
    const grid = (index: number): readonly string[] => {
      const zero = input(index + 1);
      return [needed(context, index), ...(zero === undefined ? [] : [zero])];
    };
    const pool = (x: string): string => {
      const y = emit.node(op, [emit.node('DequantizeLinear', [x, ...grid(1)])], attributesBut(node, ['channels_last']));
      return emit.node('QuantizeLinear', [y, ...grid(3)]);
    };
    const x = needed(context, 0);
    return [attribute(node, 'channels_last', 'int', 0) ? turned(context, rankOf(x), pool) : pool(x)];
  };
}

/** com.microsoft NhwcMaxPool: MaxPool over images whose channels are last. */
export function channelsLastPool(context: CompositeContext): readonly string[] {
  const { node, emit, rankOf } = context;
  const pool = (x: string) => emit.node('MaxPool', [x], attributesBut(node, []));
  return [turned(context, rankOf(needed(context, 0)), pool)];
}

/** What a layer makes of input 0, images of `rank` axes whose channels are last, as are those of the result. */
function turned(context: CompositeContext, rank: number, layer: (x: string) => string): string {
  const { emit } = context;
  const axes = Array.from({ length: rank - 2 }, (_, axis) => axis + 1);
  const y = layer(transposeTo(emit, needed(context, 0), [0, rank - 1, ...axes]));
  return transposeTo(emit, y, [0, ...axes.map((axis) => axis + 1), 1]);
}
