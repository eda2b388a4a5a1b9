import type { BinaryOperation } from '../core/binary-operation';
import { roundHalfToEven } from '../core/half';
import { dequantizeNumber, limit } from './grid';
import type { Program } from './program';
import type { Buffer, Step } from './step';

/** What the engine's operations of two floats compute, for those that round once. */
const OF: Readonly<Partial<Record<BinaryOperation, (a: number, b: number) => number>>> = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  subtract: (a, b) => a - b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

/** A buffer whose bytes are a function of the bytes of another one, place for place. */
interface Image {
  readonly of: Buffer;
  /** By the bit pattern of a byte of that. */
  readonly table: Uint8Array;
}

type Combination = Extract<Step, { op: 'binary_s8' }>;

/**
 * Takes tables and operations of two int8 operands together where all of it is a function of one tensor (x * sigmoid(x), a table
 * behind a table): one table for the whole, made by trying all 256 bytes, so that no value changes.
 */
export function joinTables(steps: readonly Step[], program: Program): readonly Step[] {
  const images = new Map<number, Image>();
  const joined = steps.map((step): Step => {
    const image =
      step.op === 'lut_s8' ? throughTable(step, images) : step.op === 'binary_s8' ? combined(step, images) : undefined;
    if (image === undefined) return step;
    const [output] = step.outputs;
    images.set(output.buffer.id, image);
    if (step.op === 'lut_s8' && image.of.id === step.inputs[0]!.buffer.id) return step;
    const table = program.constant(`${step.name}:table`, 'uint8', [256], image.table);
    const dims = [image.of.count];
    return {
      name: step.name,
      op: 'lut_s8',
      outputs: [{ ...output, dims }],
      inputs: [{ buffer: image.of, dims }, table],
    };
  });
  return withoutUnread(joined);
}

function imageOf(buffer: Buffer, images: ReadonlyMap<number, Image>): Image {
  return images.get(buffer.id) ?? { of: buffer, table: Uint8Array.from({ length: 256 }, (_, byte) => byte) };
}

function throughTable(
  { inputs }: Extract<Step, { op: 'lut_s8' }>,
  images: ReadonlyMap<number, Image>,
): Image | undefined {
  const [x, table] = inputs.map((operand) => operand!.buffer);
  if (table.place.kind !== 'constant') return undefined;
  const { bytes } = table.place;
  const before = imageOf(x, images);
  return { of: before.of, table: before.table.map((byte) => bytes[byte]) };
}

/** The image of two operands that are images of one buffer, or of one operand and a number. */
function combined({ inputs, outputs, params }: Combination, images: ReadonlyMap<number, Image>): Image | undefined {
  const [a, b] = inputs.map((operand) => operand!.buffer);
  const function_ = OF[params.operation];
  const [first, second] = [imageOf(a, images), secondImage(b, images)];
  if (function_ === undefined || second === undefined) return undefined;
  if (second.of !== undefined && (second.of.id !== first.of.id || a.count !== b.count)) return undefined;
  const grid = outputs[0].buffer.quantization!;
  const { qmin = -128, qmax = 127 } = params.clamp ?? {};
  const table = first.table.map((byte, index) => {
    const real = function_(
      dequantizeNumber(signed(byte), a.quantization!),
      dequantizeNumber(signed(second.table[index]), b.quantization!),
    );
    const scaled = Math.fround(Math.fround(real) / grid.scale);
    return roundHalfToEven(limit(scaled, qmin - grid.zeroPoint, qmax - grid.zeroPoint)) + grid.zeroPoint;
  });
  return { of: first.of, table };
}

/** The image of a second operand; one number is an image of whatever there is. */
function secondImage(
  b: Buffer,
  images: ReadonlyMap<number, Image>,
): { of: Buffer | undefined; table: Uint8Array } | undefined {
  const { place } = b;
  if (place.kind !== 'constant') return imageOf(b, images);
  return b.count === 1 ? { of: undefined, table: new Uint8Array(256).fill(place.bytes[0]) } : undefined;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Steps whose results somebody reads; of the others only what was joined can be here. */
function withoutUnread(steps: readonly Step[]): readonly Step[] {
  const read = new Set<number>();
  const kept = [...steps].reverse().filter(({ op, outputs, inputs }) => {
    const isTable = op === 'lut_s8' || op === 'binary_s8';
    if (isTable && outputs[0].buffer.place.kind === 'arena' && !read.has(outputs[0].buffer.id)) return false;
    for (const input of inputs) if (input) read.add(input.buffer.id);
    return true;
  });
  return kept.reverse();
}
