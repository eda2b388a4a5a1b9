import { elementCount } from '../../ir/tensor';
import { channelWeights, constantExtents, floatConstant, scaledIntegers } from '../constants';
import { clampCodes, floatClamp } from '../grid';
import { floatBias, integerBias, requantizeOperands } from '../integer-layer';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import type { Program } from '../program';
import { type Operand, stepName } from '../step';
import { Unsupported } from '../unsupported';
import { extentsOf, memoryFactors, memoryOffsets, mergeFactors, plainView, type View } from '../view';

/** Products with a constant matrix. */
export const fullyConnectedFamily: FamilyOf<'fully-connected'> = {
  ops: ['fc_s8', 'fc_f32'],
  integer: { operands: 'first', grid: 'result', lower: lowerInteger },
  float: { fuses: true, lower: lowerFloat },
};

/** Extents of the matrix, and how it lies in the plan. */
interface Matrix {
  readonly outputs: number;
  readonly depth: number;
  /** Rows of the result. */
  readonly rows: number;
  /** Weights as [outputs, depth], the columns in the memory order of the input's rows; the weights themselves if they lie so. */
  arrange<T extends Int8Array | Float32Array>(data: T, columns: Float64Array, Type: new (length: number) => T): T;
}

function matrixOf({ node, call, constants, extents }: LayerOf<'fully-connected'>): Matrix {
  // Operators ask for this family where it is a constant matrix.
  const dims = constantExtents(constants, node.inputs[1])!;
  const [outputs, depth] = call.transposeWeights ? dims : [dims[1], dims[0]];
  return {
    outputs,
    depth,
    rows: elementCount(extents) / outputs,
    arrange(data, columns, Type) {
      if (call.transposeWeights && columns.every((column, k) => column === k)) return data;
      const arranged = new Type(outputs * depth);
      const [step, stride] = call.transposeWeights ? [1, depth] : [outputs, 1];
      for (let k = 0; k < depth; k++)
        for (let n = 0; n < outputs; n++) arranged[n * depth + columns[k]] = data[k * step + n * stride];
      return arranged;
    },
  };
}

function isScaled({ node, call }: LayerOf<'fully-connected'>): boolean {
  return call.alpha !== 1 || (Boolean(node.inputs[2]) && call.beta !== 1);
}

function lowerInteger(layer: LayerOf<'fully-connected'>, { operands: [x], grid }: Integers): () => View {
  const { node, call, tail, program, constants, extents } = layer;
  const [, weights, bias = ''] = node.inputs;
  const { outputs, depth, rows, arrange } = matrixOf(layer);
  if (isScaled(layer)) throw new Unsupported('its alpha or beta is not 1');
  const channels = channelWeights(constants, weights, call.transposeWeights ? 0 : 1, outputs);
  const requantization = requantizeOperands(program, node, {
    bias: integerBias(constants, bias, x.quantization.scale, channels.scales, grid.scale),
    weights: channels,
    input: x.quantization,
    output: grid,
  });
  return () => {
    const { view, columns, key } = rowsOf(program, x, depth);
    const buffer = program.buffer(tail.quantize!.value, 'int8', rows * outputs, grid);
    const arranged = layer.once(`${weights}:${call.transposeWeights}:${key}`, () =>
      arrange(channels.values, columns, Int8Array),
    );
    program.emit({
      name: stepName(node, tail),
      op: 'fc_s8',
      outputs: [{ buffer, dims: [rows, outputs] }],
      inputs: [
        { buffer: view.buffer, dims: [rows, depth] },
        program.constant(weights, 'int8', [outputs, depth], arranged),
        ...requantization,
      ],
      params: clampCodes(tail.bounds, grid),
    });
    return plainView(buffer, extents);
  };
}

function lowerFloat(layer: LayerOf<'fully-connected'>): View {
  const { node, call, tail, program, constants, extents } = layer;
  const [, weights, bias = ''] = node.inputs;
  const { outputs, depth, rows, arrange } = matrixOf(layer);
  const { view, columns } = rowsOf(program, layer.float(), depth);
  const source: Operand = { buffer: view.buffer, dims: [rows, depth] };
  const arranged = arrange(floatConstant(constants, weights)!.data, columns, Float32Array);
  const addend = Float32Array.from(floatBias(constants, bias, outputs), (element) => element * call.beta);
  const buffer = program.buffer(tail.value, 'float32', rows * outputs);
  const scaled = isScaled(layer) ? arranged.map((w) => w * call.alpha) : arranged;
  const codes = isScaled(layer)
    ? undefined
    : () => scaledIntegers(constants, weights, (data, Type) => arrange(data, columns, Type));
  program.emit({
    name: stepName(node, tail),
    op: 'fc_f32',
    outputs: [{ buffer, dims: [rows, outputs] }],
    inputs: [
      source,
      program.constant(weights, 'float32', [outputs, depth], scaled, undefined, codes),
      program.constant(bias || `${node.name}:bias`, 'float32', [outputs], addend),
    ],
    params: floatClamp(tail.bounds),
  });
  return plainView(buffer, extents);
}

/**
 * The view with every row (the last logical dimension, of `depth` elements) contiguous, and where in its row each of them
 * lies (equal for equal keys). A flattened channels-last image needs no copy: only its columns are permuted.
 */
function rowsOf(program: Program, view: View, depth: number): { view: View; columns: Float64Array; key: string } {
  const found = extentsOf(view).at(-1);
  if (found !== depth) throw new Unsupported(`rows of ${found} elements for weights of ${depth}`);
  const last = view.dims.slice(-1);
  const leading = mergeFactors(view.dims.slice(0, -1).flat());
  const rowMajor = leading.length === 0 || (leading.length === 1 && leading[0].stride === depth);
  const inner = memoryFactors({ ...view, dims: last });
  if (program.isDirect(view) && rowMajor && inner.every((factor) => factor.stride < depth))
    return { view, columns: memoryOffsets(last), key: JSON.stringify(mergeFactors(last[0])) };
  return { view: program.rowMajor(view), columns: Float64Array.from({ length: depth }, (_, k) => k), key: 'row' };
}
