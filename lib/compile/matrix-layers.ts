import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import type { KernelCall } from '../ops/operator';
import { channelWeights, constantExtents, floatConstant } from './constants';
import { clampOf, floatClamp } from './grid';
import { floatBias, integerBias, requantizeOperands } from './integer-layer';
import type { Lowering } from './lowering';
import type { Program } from './program';
import { type Operand, stepName } from './step';
import { Unsupported } from './unsupported';
import { extentsOf, memoryFactors, memoryOffsets, mergeFactors, naturalOrder, plainView, type View } from './view';

type FullyConnected = Extract<KernelCall, { kernel: 'fully-connected' }>;

/** Lowers Gemm and MatMul with constant weights: int8 when input, weights and result are quantized, else float. */
export function lowerFullyConnected(state: Lowering, node: Node, call: FullyConnected): void {
  const { network, program } = state;
  const [input, weights, bias = ''] = node.inputs;
  const extents = network.extents(node.outputs[0]);
  const tail = network.tail(node.outputs[0]);
  const dims = constantExtents(network, weights);
  if (dims === undefined) throw new Unsupported(`the second factor '${weights}' is not constant`);
  if (dims.length !== 2) throw new Unsupported(`weights of rank ${dims.length} (the engine multiplies by matrices)`);
  const [outputs, depth] = call.transposeWeights ? dims : [dims[1], dims[0]];
  const rows = elementCount(extents) / outputs;
  /** Weights as [outputs, depth], the columns in the memory order of the input's rows. */
  const arrange = <T extends Int8Array | Float32Array>(data: T, columns: Float64Array, arranged: T): T => {
    for (let n = 0; n < outputs; n++)
      for (let k = 0; k < depth; k++)
        arranged[n * depth + columns[k]] = data[call.transposeWeights ? n * depth + k : k * outputs + n];
    return arranged;
  };

  const scaled = call.alpha !== 1 || (bias !== '' && call.beta !== 1);
  const x = tail.quantize && !scaled ? state.integer(input) : undefined;
  const integers = x && channelWeights(network, weights, call.transposeWeights ? 0 : 1, outputs);
  const weightsOf = (channel: number): Int8Array =>
    call.transposeWeights
      ? integers!.values.subarray(channel * depth, (channel + 1) * depth)
      : Int8Array.from({ length: depth }, (_, k) => integers!.values[k * outputs + channel]);
  const requantization =
    integers &&
    state.tryInteger(node, () =>
      requantizeOperands(program, node, {
        bias: integerBias(network, bias, x.quantization.scale, integers.scales, tail.quantize!.quantization.scale),
        weights: integers,
        input: x.quantization,
        output: tail.quantize!.quantization,
        weightsOf,
      }),
    );
  if (requantization !== undefined) {
    const { value, quantization } = tail.quantize!;
    const { view, columns } = rowsOf(program, x!, depth);
    const arranged = arrange(integers!.values, columns, new Int8Array(outputs * depth));
    const buffer = program.buffer(value, 'int8', rows * outputs, quantization);
    program.emit({
      name: stepName(node, tail),
      op: 'fc_s8',
      outputs: [{ buffer, dims: [rows, outputs] }],
      inputs: [
        { buffer: view.buffer, dims: [rows, depth] },
        program.constant(weights, 'int8', [outputs, depth], arranged),
        ...requantization,
      ],
      params: clampOf(tail.bounds, quantization),
    });
    state.finishInteger(tail, { ...plainView(buffer, extents), quantization });
    return;
  }
  const { view, columns } = rowsOf(program, state.float(input), depth);
  const source: Operand = { buffer: view.buffer, dims: [rows, depth] };
  const arranged = arrange(floatConstant(network, weights)!.data, columns, new Float32Array(outputs * depth));
  const addend = Float32Array.from(floatBias(network, bias, outputs), (element) => element * call.beta);
  const buffer = program.buffer(tail.value, 'float32', rows * outputs);
  program.emit({
    name: stepName(node, tail),
    op: 'fc_f32',
    outputs: [{ buffer, dims: [rows, outputs] }],
    inputs: [
      source,
      program.constant(weights, 'float32', [outputs, depth], scaled ? arranged.map((w) => w * call.alpha) : arranged),
      program.constant(bias || `${node.name}:bias`, 'float32', [outputs], addend),
    ],
    params: floatClamp(tail.bounds),
  });
  state.finishFloat(tail, plainView(buffer, extents));
}

/** Lowers Softmax: the rows must be contiguous, so the axis is brought innermost. */
export function lowerSoftmax(state: Lowering, node: Node, call: Extract<KernelCall, { kernel: 'softmax' }>): void {
  const { network, program } = state;
  const extents = network.extents(node.inputs[0]);
  const others = naturalOrder(extents.length).filter((axis) => axis !== call.axis);
  const source = program.arrange(state.float(node.inputs[0]), [...others, call.axis]);
  const buffer = program.buffer(node.outputs[0], 'float32', source.buffer.count);
  const dims = [source.buffer.count / extents[call.axis], extents[call.axis]];
  program.emit({
    name: node.name,
    op: 'softmax_f32',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: source.buffer, dims }],
  });
  state.setFloat(node.outputs[0], { ...source, buffer });
}

/**
 * The view with every row (the last logical dimension, of `depth` elements) contiguous, and where in its row each of them
 * lies. A flattened channels-last image needs no copy: only its columns are permuted.
 */
function rowsOf(program: Program, view: View, depth: number): { view: View; columns: Float64Array } {
  const found = extentsOf(view).at(-1);
  if (found !== depth) throw new Unsupported(`rows of ${found} elements for weights of ${depth}`);
  const last = view.dims.slice(-1);
  const leading = mergeFactors(view.dims.slice(0, -1).flat());
  const rowMajor = leading.length === 0 || (leading.length === 1 && leading[0].stride === depth);
  const inner = memoryFactors({ ...view, dims: last });
  if (program.isDirect(view) && rowMajor && inner.every((factor) => factor.stride < depth))
    return { view, columns: memoryOffsets(last) };
  return { view: program.rowMajor(view), columns: Float64Array.from({ length: depth }, (_, k) => k) };
}
