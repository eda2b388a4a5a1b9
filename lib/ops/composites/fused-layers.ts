import { attribute } from '../../ir/attribute';
import { castTo, int64s, transposeTo } from '../gradients';
import { attributesBut, type Composite, type CompositeContext, needed, Refused, refuseOutputs } from './composite';

/** ONNX Swish-24: `x * sigmoid(alpha * x)` (Ramachandran et al. 2017). */
export function swish(context: CompositeContext): readonly string[] {
  return [gated(context, needed(context, 0), attribute(context.node, 'alpha', 'float', 1))];
}

/** com.microsoft QuickGelu: Swish with its own default of alpha. */
export function quickGelu(context: CompositeContext): readonly string[] {
  return [gated(context, needed(context, 0), attribute(context.node, 'alpha', 'float', 1.702))];
}

function gated({ f }: CompositeContext, x: string, alpha: number): string {
  return f('Mul', x, f('Sigmoid', alpha === 1 ? x : f('Mul', x, alpha)));
}

/** com.microsoft Gelu and BiasGelu (exact), FastGelu (by tanh): a bias may come first. */
export function biasedGelu(approximate: 'none' | 'tanh') {
  return (context: CompositeContext): readonly string[] => {
    const { emit, f, input } = context;
    const [x, bias] = [needed(context, 0), input(1)];
    return [emit.node('Gelu', [bias === undefined ? x : f('Add', x, bias)], { approximate })];
  };
}

/** com.microsoft FusedConv: a convolution, a sum, an activation; what may be left out may be left out. */
export function fusedConv(context: CompositeContext): readonly string[] {
  const { node, emit, f, input } = context;
  const inputs = [needed(context, 0), needed(context, 1), ...(input(2) === undefined ? [] : [input(2)!])];
  const y = emit.node('Conv', inputs, attributesBut(node, ['activation', 'activation_params']));
  const added = input(3);
  const sum = added === undefined ? y : f('Add', y, added);
  return [activated(context, sum, attribute(node, 'activation_params', 'floats', []))];
}

/** com.microsoft FusedGemm: Gemm, then an activation. */
export function fusedGemm(context: CompositeContext): readonly string[] {
  const { node, emit, input } = context;
  const names = ['activation', 'activation_alpha', 'activation_beta', 'activation_gamma'];
  const inputs = [needed(context, 0), needed(context, 1), ...(input(2) === undefined ? [] : [input(2)!])];
  const parameters = names
    .slice(1)
    .flatMap((name) => (node.attributes.has(name) ? [attribute(node, name, 'float')] : []));
  return [activated(context, emit.node('Gemm', inputs, attributesBut(node, names)), parameters)];
}

/** Activations with the attributes that take the parameters. */
const ACTIVATIONS: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Sigmoid: [],
  Tanh: [],
  Softplus: [],
  LeakyRelu: ['alpha'],
  HardSigmoid: ['alpha', 'beta'],
};

/** The activation that a fused layer names. @throws Refused */
function activated({ node, emit, f }: CompositeContext, value: string, parameters: readonly number[]): string {
  const name = attribute(node, 'activation', 'string', '');
  if (name === '') return value;
  if (name === 'Clip') {
    const [low = -Infinity, high = Infinity] = parameters;
    return f('Clip', value, low, high);
  }
  if (!Object.hasOwn(ACTIVATIONS, name)) throw new Refused(`activation '${name}' is not supported`);
  const given = ACTIVATIONS[name].flatMap((key, at) =>
    parameters[at] === undefined ? [] : [[key, { kind: 'float', value: parameters[at] }] as const],
  );
  return emit.node(name, [value], Object.fromEntries(given));
}

/** com.microsoft FusedMatMul (and TransposeMatMul): a product of transposed factors, times alpha. */
export function fusedMatMul(context: CompositeContext): readonly string[] {
  const { node, f } = context;
  const [a, b] = (['A', 'B'] as const).map((side, index) => turnedFactor(context, needed(context, index), side));
  const alpha = attribute(node, 'alpha', 'float', 1);
  const product = f('MatMul', a, b);
  return [alpha === 1 ? product : f('Mul', product, alpha)];
}

/** A factor whose first axis may belong behind the others but the last, and whose last two may be swapped; vectors have no other form. */
function turnedFactor({ node, emit, rankOf }: CompositeContext, value: string, side: 'A' | 'B'): string {
  const [batch, swapped] = [`transBatch${side}`, `trans${side}`].map((name) => attribute(node, name, 'int', 0) !== 0);
  const rank = batch || swapped ? rankOf(value) : 0;
  if (rank < 2) return value;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const [outer, [row, column]] = batch ? [axes.slice(1, -1), [0, rank - 1]] : [axes.slice(0, -2), [rank - 2, rank - 1]];
  return transposeTo(emit, value, [...outer, ...(swapped ? [column, row] : [row, column])]);
}

/** Operators of com.microsoft that ONNX has too. */
export function standard(op: string): Composite {
  return ({ node, emit, input }) => {
    const inputs = node.inputs.map((_, index) => input(index) ?? '');
    return [emit.node(op, inputs, attributesBut(node, []))];
  };
}

/** com.microsoft BiasSoftmax where the bias broadcasts as ONNX has it: a sum, then Softmax of the last axis. */
export function biasSoftmax(context: CompositeContext): readonly string[] {
  const { node, emit, f, rankOf } = context;
  const [x, bias] = [needed(context, 0), needed(context, 1)];
  const axis = attribute(node, 'axis', 'int', 1);
  if (axis !== -1 && axis !== rankOf(x) - 1) throw new Refused(`expected the last axis, found ${axis}`);
  if (rankOf(bias) !== rankOf(x)) throw new Refused('expected a bias with as many axes as the input');
  return [emit.node('Softmax', [f('Add', x, bias)], { axis: -1 })];
}

/** com.microsoft.nchwc: blocks of channels as wide as the registers of one CPU. */
export function blockedLayout(): readonly string[] {
  throw new Refused(
    'it has the channels in blocks of the CPU that the file was optimised on: save it with optimisation level "extended" or below',
  );
}

type Normalization = 'LayerNormalization' | 'RMSNormalization';

/** onnxruntime's SimplifiedLayerNormalization of the standard domain: RMSNormalization before ONNX had it. */
export function simplifiedLayerNormalization(context: CompositeContext): readonly string[] {
  const { node, emit } = context;
  refuseOutputs(context, { 1: 'inv_std_var' });
  const values = attributesBut(node, ['stash_type']);
  return [emit.node('RMSNormalization', [needed(context, 0), needed(context, 1)], values)];
}

/** com.microsoft SkipLayerNormalization and SkipSimplifiedLayerNormalization: a sum, a bias, a normalization. */
export function skipNormalization(op: Normalization) {
  return (context: CompositeContext): readonly (string | undefined)[] => {
    const { node, emit, f, input } = context;
    refuseOutputs(context, { 1: 'mean', 2: 'inv_std_var' });
    const [beta, bias] = op === 'LayerNormalization' ? [input(3), input(4)] : [undefined, input(3)];
    const skipped = f('Add', needed(context, 0), needed(context, 1));
    const sum = bias === undefined ? skipped : f('Add', skipped, bias);
    const inputs = [sum, needed(context, 2), ...(beta === undefined ? [] : [beta])];
    const y = emit.node(op, inputs, { axis: -1, epsilon: epsilonOf(node) });
    return [y, undefined, undefined, sum];
  };
}

function epsilonOf(node: CompositeContext['node']) {
  return { kind: 'float', value: attribute(node, 'epsilon', 'float', 1e-12) } as const;
}

/** com.microsoft EmbedLayerNormalization: the sum of word, position and segment embeddings, normalized; lengths of a mask. */
export function embedLayerNormalization(context: CompositeContext): readonly (string | undefined)[] {
  return embedded(context, context.input(8));
}

/** com.microsoft QEmbedLayerNormalization: the same with tables and factors on grids of their own. */
export function quantizedEmbedLayerNormalization(context: CompositeContext): readonly (string | undefined)[] {
  // Scales from input 8 on, zero points from 13 on.
  const dequantized = (index: number): string | undefined => {
    const grid = { 2: 0, 3: 1, 4: 2, 5: 3, 6: 4 }[index];
    const codes = context.input(index);
    if (grid === undefined || codes === undefined) return codes;
    const zero = context.input(13 + grid);
    return context.emit.node('DequantizeLinear', [codes, needed(context, 8 + grid), ...(zero ? [zero] : [])]);
  };
  return embedded({ ...context, input: dequantized });
}

function embedded(context: CompositeContext, places?: string): readonly (string | undefined)[] {
  const { node, emit, f, input, extent, wants } = context;
  const [ids, words, positions, gamma, beta] = [0, 2, 3, 5, 6].map((index) => needed(context, index));
  const [segments, table, mask] = [1, 4, 7].map(input);
  if (attribute(node, 'mask_index_type', 'int', 1) !== 1) throw new Refused('expected mask_index_type 1');
  if (mask === undefined) refuseOutputs(context, { 1: 'mask_index' });
  const rows = (values: string, indices: string) => emit.node('Gather', [values, indices], { axis: 0 });
  const own =
    places ??
    int64s(
      emit,
      Array.from({ length: extent(ids, 1) }, (_, at) => at),
    );
  const ordered = f('Add', rows(words, ids), rows(positions, own));
  const sum = segments !== undefined && table !== undefined ? f('Add', ordered, rows(table, segments)) : ordered;
  const y = emit.node('LayerNormalization', [sum, gamma, beta], { axis: -1, epsilon: epsilonOf(node) });
  // Counts are small: floats hold them exactly.
  const count = (value: string) =>
    emit.node('ReduceSum', [castTo(emit, value, 'float32'), int64s(emit, [1])], { keepdims: 0 });
  const lengths = wants(1) ? castTo(emit, count(mask!), 'int32') : undefined;
  return [y, lengths, sum];
}
