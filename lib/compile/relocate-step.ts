import { elementCount } from '../ir/tensor';
import type { PlanOp } from '../plan/plan-ops';
import { areApart, type Part, type Walk, walkPart } from './part';
import type { Buffer, Operand, Step } from './step';

/** Where a buffer has come to lie. */
export interface Home {
  readonly buffer: Buffer;
  readonly part: Part;
}

export type Copy = Extract<Step, { op: 'copy_nd' }>;

/** Operations whose kernels take activations with gaps between the rows of the last dimension. */
const ROWS: ReadonlySet<PlanOp> = new Set([
  'conv_s8',
  'conv_f32',
  'dwconv_s8',
  'dwconv_f32',
  'max_pool_s8',
  'max_pool_f32',
  'average_pool_s8',
  'average_pool_f32',
  'fc_s8',
  'fc_f32',
  'softmax_f32',
]);

/** The same, of operations for which operands have no shape: their rows may be cut anywhere. */
const ELEMENTS: ReadonlySet<PlanOp> = new Set([
  'lut_s8',
  'unary_f32',
  'clamp_f32',
  'binary_s8',
  'binary_f32',
  'quantize_s8',
  'dequantize_s8',
  'fill',
]);

/**
 * The step over buffers as they lie now; `home` gives undefined for a buffer that lies by itself and null for one that lies where
 * no operand can. 'nothing' for a copy of what is in its place already; undefined where the step cannot take its operands so.
 */
export function relocateStep(
  step: Step,
  home: (buffer: Buffer) => Home | undefined | null,
): Step | 'nothing' | undefined {
  const operands = [...step.outputs, ...step.inputs];
  const homes = operands.map((operand) => operand && home(operand.buffer));
  if (homes.every((found) => found === undefined)) return step;
  if (homes.includes(null)) return undefined;
  if (step.op === 'copy_nd') return relocateCopy(step, homes as (Home | undefined)[]);
  const rows = homes.flatMap((found, i) => (found && !isBlock(found, operands[i]!) ? [found.part.row] : []));
  const [row] = rows;
  if (rows.some((other) => other !== row) && ELEMENTS.has(step.op)) return undefined;
  const whole = elementCount(step.outputs[0].dims);
  const moved = operands.map((operand, i): Operand | undefined => {
    if (operand === undefined) return undefined;
    const cut = row !== undefined && ELEMENTS.has(step.op) ? cutRows(step, operand, row, whole) : operand;
    return cut && moveOperand(step, cut, homes[i] as Home | undefined);
  });
  if (moved.some((operand, i) => operand === undefined && operands[i] !== undefined)) return undefined;
  const outputs = moved.slice(0, step.outputs.length) as Operand[];
  const inputs = moved.slice(step.outputs.length);
  for (const output of outputs) for (const input of inputs) if (input && mayTouch(output, input)) return undefined;
  return { ...step, outputs, inputs } as Step;
}

function isBlock({ part }: Home, { buffer }: Operand): boolean {
  return part.row === buffer.count;
}

/** An operand of an element-wise step in rows of a length; undefined where it has none. */
function cutRows(step: Step, operand: Operand, row: number, whole: number): Operand | undefined {
  const count = elementCount(operand.dims);
  if (step.op === 'quantize_s8' || step.op === 'dequantize_s8') {
    // Both sides have the extents of the border, or their own.
    if (step.params.channelsFirst) return operand;
    return operand.buffer.place.kind === 'port' ? undefined : { ...operand, dims: [count / row, row] };
  }
  if (count === whole) return operand.buffer.place.kind === 'port' ? operand : { ...operand, dims: [count / row, row] };
  // The second operand of a binary operation repeats, within rows or over whole ones; a table has no rows.
  if (step.op !== 'binary_s8' && step.op !== 'binary_f32') return operand;
  return row % count === 0 || count % row === 0 ? operand : undefined;
}

/** The operand in its home; undefined where the kernel takes no such rows. */
function moveOperand(step: Step, operand: Operand, home: Home | undefined): Operand | undefined {
  if (home === undefined) return operand;
  const { buffer, dims } = operand;
  const length = dims.at(-1) ?? 1;
  const { offset, row, pitch } = home.part;
  const block = isBlock(home, operand);
  if (!block && !(length === row && takesRows(step, operand))) return undefined;
  return {
    buffer: { ...home.buffer, name: buffer.name, quantization: buffer.quantization },
    dims,
    part: { offset, row: length, pitch: block ? length : pitch },
  };
}

/** Whether the kernel of a step takes an operand with gaps between the rows of its last dimension. */
function takesRows(step: Step, operand: Operand): boolean {
  switch (step.op) {
    case 'quantize_s8':
    case 'dequantize_s8':
      return !step.params.channelsFirst || operand.buffer.type === 'int8';
    case 'fc_s8':
    case 'fc_f32': {
      // A row of its own is a row of the matrix, however many dimensions are flattened into that.
      const [outputs, inputs] = step.inputs[1]!.dims;
      return operand.dims.at(-1) === (operand === step.outputs[0] ? outputs : inputs);
    }
    default:
      return ROWS.has(step.op) || ELEMENTS.has(step.op);
  }
}

function relocateCopy(step: Copy, [to, from]: readonly (Home | undefined)[]): Step | 'nothing' | undefined {
  let walk: Walk | undefined = walkOf(step, 'dst');
  let [{ buffer: target }] = step.outputs;
  let { buffer: source } = step.inputs[0]!;
  let moved = step;
  if (to !== undefined) {
    walk = walkPart(walk, to.part, target.count);
    if (walk === undefined) return undefined;
    moved = withWalk(moved, 'dst', walk);
    target = { ...to.buffer, name: target.name, quantization: target.quantization };
  }
  if (from !== undefined) {
    walk = walkPart(walkOf(moved, 'src'), from.part, source.count);
    if (walk === undefined) return undefined;
    moved = withWalk(moved, 'src', walk);
    source = { ...from.buffer, name: source.name, quantization: source.quantization };
  }
  if (source.id === target.id) {
    const { srcOffset, dstOffset, srcStrides, dstStrides } = moved.params;
    return srcOffset === dstOffset && srcStrides.join() === dstStrides.join() ? 'nothing' : undefined;
  }
  return {
    ...moved,
    outputs: [{ buffer: target, dims: [target.count] }],
    inputs: [{ buffer: source, dims: [source.count] }],
  };
}

/** Whether two operands may have an element in common. */
function mayTouch(a: Operand, b: Operand): boolean {
  if (a.buffer.id !== b.buffer.id || (a.part === undefined && b.part === undefined)) return false;
  if (a.part === undefined || b.part === undefined) return true;
  const [first, second] = [a, b].map(({ part, dims }) => ({ ...part!, count: elementCount(dims) }));
  return !areApart(first, second);
}

/** The walk of a copy over one side. */
export function walkOf({ params }: Copy, side: 'src' | 'dst'): Walk {
  const { extents, srcOffset, dstOffset, srcStrides, dstStrides } = params;
  return side === 'src'
    ? { extents, offset: srcOffset, strides: srcStrides, others: dstStrides }
    : { extents, offset: dstOffset, strides: dstStrides, others: srcStrides };
}

/** The copy with another walk over one side. */
function withWalk(copy: Copy, side: 'src' | 'dst', { extents, offset, strides, others }: Walk): Copy {
  const params =
    side === 'src'
      ? { ...copy.params, extents, srcOffset: offset, srcStrides: strides, dstStrides: others }
      : { ...copy.params, extents, dstOffset: offset, dstStrides: strides, srcStrides: others };
  return { ...copy, params };
}
