import { elementCount } from '../../ir/tensor';
import { broadcastExtents } from '../../ops/broadcast';
import type { PlanMatmulParams } from '../../plan/description';
import { PLAN_MAX_RANK } from '../../plan/format';
import { floatConstant } from '../constants';
import { clampCodes, floatClamp } from '../grid';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { repeatOperand } from '../repeat-operand';
import { type Buffer, type Operand, type Quantization, stepName } from '../step';
import { Unsupported } from '../unsupported';
import { alignFactors, broadcastView, extentsOf, type Factor, mergeFactors, plainView, type View } from '../view';

/** Products of two operands that are both computed, or whose right one is constant but no single matrix. */
export const matmulFamily: FamilyOf<'matmul'> = {
  ops: ['matmul_s8', 'matmul_f32'],
  integer: { operands: 'all', grid: 'result', lower: lowerInteger },
  float: { fuses: true, lower: lowerFloat },
};

function lowerInteger(layer: LayerOf<'matmul'>, { operands, grid }: Integers): () => View {
  const { node, call, tail, program, extents } = layer;
  if (call.alpha !== 1) throw new Unsupported('its alpha or beta is not 1');
  if (operands.length > 2) throw new Unsupported('it adds an operand that is computed');
  const [a, b] = operands.map(({ quantization }) => quantization);
  const multiplier = Math.fround(Math.fround(a.scale * b.scale) / grid.scale);
  if (!(multiplier > 0) || !Number.isFinite(multiplier))
    throw new Unsupported(`${a.scale} * ${b.scale} / ${grid.scale} is no positive float32`);
  const depth = layer.inputExtents(0).at(call.transpose[0] ? -2 : -1)!;
  const largest = depth * reachOf(a) * reachOf(b);
  if (largest >= 2 ** 31) throw new Unsupported(`a sum of ${depth} products can reach ${largest}, beyond int32`);
  return () => {
    const { inputs, strides } = factorsOf(layer, operands);
    const buffer = program.buffer(tail.quantize!.value, 'int8', elementCount(extents), grid);
    program.emit({
      name: stepName(node, tail),
      op: 'matmul_s8',
      outputs: [{ buffer, dims: [buffer.count / strides.outputs, strides.outputs] }],
      inputs,
      params: { ...strides, clamp: clampCodes(tail.bounds, grid) },
    });
    return plainView(buffer, extents);
  };
}

/** The most that an int8 number less its zero point can be. */
function reachOf({ zeroPoint }: Quantization): number {
  return Math.max(127 - zeroPoint, zeroPoint + 128);
}

function lowerFloat(layer: LayerOf<'matmul'>): View {
  const { node, call, tail, program, extents } = layer;
  const adds = Boolean(node.inputs[2]) && call.beta !== 0;
  const { inputs, strides } = factorsOf(layer, [layer.float(0), layer.float(1)]);
  const buffer = program.buffer(adds ? `${node.name}:product` : tail.value, 'float32', elementCount(extents));
  const product = plainView(buffer, extents);
  const clamp = floatClamp(tail.bounds);
  program.emit({
    name: adds ? `${node.name}:product` : stepName(node, tail),
    op: 'matmul_f32',
    outputs: [{ buffer, dims: [buffer.count / strides.outputs, strides.outputs] }],
    inputs,
    params: { ...strides, alpha: call.alpha, ...(adds ? {} : { clamp }) },
  });
  if (!adds) return product;
  const sum = program.buffer(tail.value, 'float32', buffer.count);
  program.emit({
    name: stepName(node, tail),
    op: 'binary_f32',
    outputs: [whole(sum)],
    inputs: [whole(buffer), addendOf(layer, product)],
    params: { operation: 'add', clamp },
  });
  return plainView(sum, extents);
}

/** beta * C, as an operand that is added to the product. */
function addendOf(layer: LayerOf<'matmul'>, product: View): Operand {
  const { node, call, program, constants } = layer;
  const repeated = (view: View) => repeatOperand(program, broadcastView(view, extentsOf(product))!, product);
  if (call.beta === 1) return repeated(layer.float(2));
  const name = `${node.name}:addend`;
  const known = floatConstant(constants, node.inputs[2]);
  if (known !== undefined) {
    const scaled = known.data.map((element) => element * call.beta);
    return repeated(plainView(program.constant(name, 'float32', known.dims, scaled).buffer, known.dims));
  }
  const view = program.dense(layer.float(2));
  const buffer = program.buffer(name, 'float32', view.buffer.count);
  program.emit({
    name,
    op: 'binary_f32',
    outputs: [whole(buffer)],
    inputs: [whole(view.buffer), program.constant(`${name}:beta`, 'float32', [1], Float32Array.of(call.beta))],
    params: { operation: 'multiply' },
  });
  return repeated({ ...view, buffer });
}

function whole(buffer: Buffer): Operand {
  return { buffer, dims: [buffer.count] };
}

/** A factor as a stack of matrices [outer, inner], each axis with one stride. */
interface Stack {
  readonly batch: View;
  readonly outer: Factor;
  readonly inner: Factor;
}

/** The factors as the kernel walks them: views as they are where each axis has one stride, else copies. */
function factorsOf({ call, program }: LayerOf<'matmul'>, views: readonly View[]) {
  const make = (given: readonly View[]) => {
    const stacks = given.map((view, index) => stackOf(view, index, call.transpose[index]));
    const [a, b] = stacks;
    return a && b && walk(a, b);
  };
  const found = make(views) ?? make(views.map((view) => program.rowMajor(view)));
  if (found === undefined) throw new Unsupported(`more than ${PLAN_MAX_RANK - 2} axes count its products`);
  return { inputs: found.buffers.map(whole), strides: found.strides };
}

/** A view as matrices; a vector on the left is a row, on the right a column. Undefined where an axis has several strides. */
function stackOf(view: View, index: number, transposed: boolean): Stack | undefined {
  const one = [{ extent: 1, stride: 0 }];
  const dims = view.dims.length > 1 ? view.dims : index === 0 ? [one, ...view.dims] : [...view.dims, one];
  const [outer, inner] = dims.slice(-2).map((factors) => mergeFactors(factors));
  if (outer.length > 1 || inner.length > 1) return undefined;
  const matrix = [outer[0] ?? one[0], inner[0] ?? one[0]];
  if (transposed) matrix.reverse();
  return { batch: { ...view, dims: dims.slice(0, -2) }, outer: matrix[0], inner: matrix[1] };
}

/** Strides of the product of two stacks; undefined where they cannot be walked together in as many axes as plans have. */
function walk(a: Stack, b: Stack) {
  const extents = broadcastExtents(extentsOf(a.batch), extentsOf(b.batch));
  const runs = alignFactors(broadcastView(a.batch, extents)!, broadcastView(b.batch, extents)!)?.filter(
    ({ extent }) => extent > 1,
  );
  if (runs === undefined) return undefined;
  const rows = { ...a.outer };
  // Neighbours that share b, and whose rows follow each other in a, are one product with more rows.
  for (let last = runs.at(-1); last?.target === 0; last = runs.at(-1)) {
    if (rows.extent > 1 && last.source !== rows.extent * rows.stride) break;
    if (rows.extent === 1) rows.stride = last.source;
    rows.extent *= last.extent;
    runs.pop();
  }
  if (runs.length + 2 > PLAN_MAX_RANK) return undefined;
  const strides: Omit<PlanMatmulParams, 'alpha' | 'clamp'> = {
    batch: runs.map(({ extent }) => extent),
    rows: rows.extent,
    inputs: a.inner.extent,
    outputs: b.inner.extent,
    aOffset: a.batch.offset,
    bOffset: b.batch.offset,
    aStrides: [...runs.map(({ source }) => source), rows.stride, a.inner.stride],
    bStrides: [...runs.map(({ target }) => target), b.outer.stride, b.inner.stride],
  };
  return { buffers: [a.batch.buffer, b.batch.buffer], strides };
}
