import type { Node } from '../ir/graph';
import type { KernelCall } from '../ops/operator';
import { integerBias, requantizeOperands } from './integer-layer';
import { canonicalWeights, clampOf, floatClamp, type Lowering, Unsupported } from './lowering';
import type { Operand } from './step';
import { extentsOf, memoryFactors, memoryOffsets, mergeFactors, plainView, type View } from './view';
import { finishFloat, finishInteger, stepName } from './window-layers';

type FullyConnected = Extract<KernelCall, { kernel: 'fully-connected' }>;

/** Lowers Gemm and MatMul with constant weights: int8 when input, weights and result are quantized, else float. */
export function lowerFullyConnected(state: Lowering, node: Node, call: FullyConnected): void {
  const [input, weights, bias = ''] = node.inputs;
  const tail = state.tail(node.outputs[0]);
  const dims = state.floatConstant(weights)?.dims;
  if (dims === undefined) throw new Unsupported(`the second factor '${weights}' is not constant`);
  if (dims.length !== 2) throw new Unsupported(`weights of rank ${dims.length} (the engine multiplies by matrices)`);
  if (call.alpha !== 1 || (bias !== '' && call.beta !== 1)) throw new Unsupported('alpha and beta other than 1');
  const [outputs, depth] = call.transposeWeights ? dims : [dims[1], dims[0]];
  const x = state.integer(input);
  const integers = state.quantizedConstant(weights);
  const canonical = integers && canonicalWeights(integers);
  const resultExtents = state.extents(node.outputs[0]);
  const rows = resultExtents.reduce((product, extent) => product * extent, 1) / outputs;

  const integer = x !== undefined && integers !== undefined && canonical !== undefined && tail.quantize !== undefined;
  const { view, columns } = rowsOf(state, integer ? x : state.float(input), depth);
  const source: Operand = { buffer: view.buffer, dims: [rows, depth] };
  /** Weights as [outputs, depth] in the memory order of the input's rows. */
  const arrange = <T extends Int8Array | Float32Array>(data: T, arranged: T): T => {
    for (let n = 0; n < outputs; n++)
      for (let k = 0; k < depth; k++)
        arranged[n * depth + columns[k]] = data[call.transposeWeights ? n * depth + k : k * outputs + n];
    return arranged;
  };

  if (integer) {
    const channelAxis = call.transposeWeights ? 0 : 1;
    const perOutput = (values: readonly number[]): number[] => {
      if (values.length === 1) return new Array<number>(outputs).fill(values[0]);
      if (integers.axis !== channelAxis)
        throw new Unsupported(`weights quantized along their inner axis ${integers.axis}`);
      return [...values];
    };
    const { quantization } = tail.quantize;
    const scales = perOutput(integers.scales);
    const arranged = arrange(canonical.values, new Int8Array(outputs * depth));
    const buffer = state.buffer(tail.quantize.value, 'int8', rows * outputs, quantization);
    state.emit({
      name: stepName(node, tail),
      op: 'fc_s8',
      outputs: [{ buffer, dims: [rows, outputs] }],
      inputs: [
        source,
        state.constant(weights, 'int8', [outputs, depth], arranged),
        ...requantizeOperands(state, node, {
          bias: integerBias(state, bias, x.quantization.scale, scales),
          scales,
          zeroPoints: perOutput(canonical.zeroPoints),
          input: x.quantization,
          output: quantization,
          weightsOf: (channel) => arranged.subarray(channel * depth, (channel + 1) * depth),
        }),
      ],
      params: clampOf(tail.bounds, quantization),
    });
    finishInteger(state, tail, { ...plainView(buffer, resultExtents), quantization });
    return;
  }
  const floatBias = bias === '' ? new Float32Array(outputs) : state.floatConstant(bias)?.data;
  if (floatBias === undefined) throw new Unsupported(`the bias '${bias}' is not constant`);
  if (floatBias.length !== outputs && floatBias.length !== 1)
    throw new Unsupported(`the bias '${bias}' has ${floatBias.length} elements for ${outputs} outputs`);
  const buffer = state.buffer(tail.value, 'float32', rows * outputs);
  const floatWeights = arrange(state.floatConstant(weights)!.data, new Float32Array(outputs * depth));
  const fullBias = floatBias.length === outputs ? floatBias : new Float32Array(outputs).fill(floatBias[0]);
  state.emit({
    name: stepName(node, tail, true),
    op: 'fc_f32',
    outputs: [{ buffer, dims: [rows, outputs] }],
    inputs: [
      source,
      state.constant(weights, 'float32', [outputs, depth], floatWeights),
      state.constant(bias || `${node.name}:bias`, 'float32', [outputs], fullBias),
    ],
    params: floatClamp(tail.bounds),
  });
  finishFloat(state, tail, plainView(buffer, resultExtents));
}

/** Lowers Softmax: the rows must be contiguous, so the axis is brought innermost. */
export function lowerSoftmax(state: Lowering, node: Node, call: Extract<KernelCall, { kernel: 'softmax' }>): void {
  const extents = state.extents(node.inputs[0]);
  const axis = call.axis < 0 ? call.axis + extents.length : call.axis;
  const order = [...extents.keys()].filter((other) => other !== axis);
  const source = state.arrange(state.float(node.inputs[0]), [...order, axis]);
  const buffer = state.buffer(node.outputs[0], 'float32', source.buffer.count);
  const dims = [source.buffer.count / extents[axis], extents[axis]];
  state.emit({
    name: node.name,
    op: 'softmax_f32',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: source.buffer, dims }],
  });
  state.setFloat(node.outputs[0], { ...source, buffer });
}

/**
 * The view with every row (all logical dimensions but the last few that make up `depth`) contiguous, and where in its row
 * each of the `depth` logical elements lies. A flattened channels-last image needs no copy: only its columns are permuted.
 */
function rowsOf<V extends View>(state: Lowering, view: V, depth: number): { view: V; columns: Float64Array } {
  const extents = extentsOf(view);
  if (extents.at(-1) !== depth) throw new Unsupported(`rows of ${extents.at(-1)} elements for weights of ${depth}`);
  const last = view.dims.slice(-1);
  const leading = mergeFactors(view.dims.slice(0, -1).flat());
  const rowMajor = leading.length === 0 || (leading.length === 1 && leading[0].stride === depth);
  const inner = memoryFactors({ ...view, dims: last });
  if (state.isDirect(view) && rowMajor && inner.every((factor) => factor.stride < depth))
    return { view, columns: memoryOffsets(last) };
  return {
    view: state.arrange(
      view,
      extents.map((_, axis) => axis),
    ),
    columns: Float64Array.from({ length: depth }, (_, k) => k),
  };
}
