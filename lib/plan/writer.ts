import { HoneError } from '../core/error';
import { findPlanFault, tensorBytes } from './check';
import { crc32 } from './crc32';
import type { PlanDescription, PlanNode, PlanPort, PlanTensor, PlanVariant } from './description';
import {
  alignUp,
  type LayoutName,
  layoutOf,
  PLAN_ALIGNMENT,
  PLAN_ENCODINGS,
  PLAN_MAGIC,
  PLAN_NONE,
  PLAN_PLACES,
  PLAN_TYPES,
  PLAN_VERSION,
  PLAN_ZERO_POINTS,
  type RecordOf,
} from './format';
import { paramsRecord } from './params';
import { PLAN_OP_NAMES, PLAN_OPS } from './plan-ops';
import { writeRecord } from './record';

const encoder = new TextEncoder();

/**
 * Bytes of a plan file. The same description gives the same bytes; equal constants and strings are stored once.
 * @throws E_INTERNAL when the description is inconsistent
 */
export function writePlan(plan: PlanDescription): Uint8Array {
  const fault = findPlanFault(plan);
  if (fault) throw new HoneError('E_INTERNAL', { message: `plan description: ${fault}` });

  const weights = new Blob(PLAN_ALIGNMENT);
  const constants = plan.constants.map((bytes) => weights.add(bytes));
  const encoded = new Records('weights');
  for (const { encoding, type, bits, row, group = 0, zeroPoints, codes, table } of plan.encoded ?? [])
    encoded.add({
      encoding: PLAN_ENCODINGS.indexOf(encoding),
      type: PLAN_TYPES.indexOf(type),
      bits,
      flags: zeroPoints ? PLAN_ZERO_POINTS : 0,
      row,
      group,
      table: table === undefined ? 0 : constants[table],
      offset: constants[codes],
      bytes: plan.constants[codes].length,
    });
  const tables = new Tables(constants);
  for (const variant of plan.variants) tables.addVariant(variant);

  const operands = new Uint8Array(Uint32Array.from(tables.operands).buffer);
  const sections: readonly [keyof RecordOf<'header'>, Section][] = [
    ['variants', tables.variants.join()],
    ['tensors', tables.tensors.join()],
    ['nodes', tables.nodes.join()],
    ['ports', tables.ports.join()],
    ['states', tables.states.join()],
    ['encoded', encoded.join()],
    ['counts', tables.counts.join()],
    ['operands', whole(operands)],
    ['params', tables.params.join()],
    ['strings', tables.strings.join()],
    ['metadata', text(JSON.stringify(plan.metadata))],
    ['weights', weights.join()],
  ];
  return assemble(plan.sourceHash, sections);
}

interface Section {
  readonly length: number;
  /** What lies in it, at offsets from its start; zeros in between. */
  readonly pieces: readonly Piece[];
  /** Records, or bytes for the sections without records. */
  readonly count: number;
}

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A section of one piece: `count` records, or bytes when left out. */
function whole(bytes: Uint8Array, count = bytes.length): Section {
  return { length: bytes.length, pieces: [{ offset: 0, bytes }], count };
}

function assemble(sourceHash: string, sections: readonly [keyof RecordOf<'header'>, Section][]): Uint8Array {
  const header: Record<string, unknown> = {
    magic: [...encoder.encode(PLAN_MAGIC)],
    version: PLAN_VERSION,
    headerBytes: layoutOf('header').bytes,
    sourceHash: sourceHash.match(/../g)!.map((digits) => Number.parseInt(digits, 16)),
  };
  let end = layoutOf('header').bytes;
  for (const [name, { length, count }] of sections) {
    const offset = alignUp(end, PLAN_ALIGNMENT);
    header[name] = { offset, count };
    end = offset + length;
  }
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  header.fileBytes = end;
  writeRecord(view, 'header', 0, header as Partial<RecordOf<'header'>>);
  for (const [name, { pieces }] of sections)
    for (const { offset, bytes } of pieces) file.set(bytes, (header[name] as RecordOf<'section'>).offset + offset);
  const { offset } = layoutOf('header').fields.find((field) => field.name === 'crc32')!;
  view.setUint32(offset, crc32(file), true);
  return file;
}

/** The tables of records, filled variant by variant. */
class Tables {
  readonly variants = new Records('variant');
  readonly tensors = new Records('tensor');
  readonly nodes = new Records('node');
  readonly ports = new Records('port');
  readonly states = new Records('state');
  readonly counts = new Records('count');
  readonly operands: number[] = [];
  readonly params = new Blob(8);
  readonly strings = new Blob(1);
  private readonly constants: readonly number[];

  constructor(constants: readonly number[]) {
    this.constants = constants;
  }

  addVariant({ name, tensors, nodes, inputs, outputs, states, arenaBytes }: PlanVariant): void {
    const firstTensor = this.tensors.count;
    const firstInput = this.ports.count;
    this.variants.add({
      name: this.string(name),
      firstTensor,
      tensorCount: tensors.length,
      firstNode: this.nodes.count,
      nodeCount: nodes.length,
      firstInput,
      inputCount: inputs.length,
      firstOutput: firstInput + inputs.length,
      outputCount: outputs.length,
      firstState: this.states.count,
      stateCount: states.length,
      arenaBytes,
    });
    for (const tensor of tensors) this.addTensor(tensor);
    for (const node of nodes) this.addNode(node, firstTensor);
    for (const port of [...inputs, ...outputs]) this.addPort(port, firstTensor);
    for (const { input, output } of states)
      this.states.add({ inputTensor: firstTensor + input, outputTensor: firstTensor + output });
  }

  private addTensor(tensor: PlanTensor): void {
    this.tensors.add({
      name: this.string(tensor.name),
      type: PLAN_TYPES.indexOf(tensor.type),
      place: PLAN_PLACES.indexOf(tensor.place),
      rank: tensor.dims.length,
      zeroPoint: tensor.zeroPoint ?? 0,
      scale: tensor.scale ?? 0,
      dims: [...tensor.dims],
      pitch: tensor.pitch ?? 0,
      offset: this.offsetOf(tensor),
      bytes: tensorBytes(tensor),
    });
  }

  private offsetOf(tensor: PlanTensor): number {
    if (tensor.place === 'constant') return this.constants[tensor.constant];
    if (tensor.place === 'encoded') return tensor.weights;
    return tensor.place === 'port' ? 0 : tensor.offset;
  }

  private addNode(node: PlanNode, firstTensor: number): void {
    const { name, op, outputs, inputs, params } = node;
    const layout = PLAN_OPS[op].params;
    const bytes = new Uint8Array(layout ? layoutOf(layout).bytes : 0);
    if (layout) writeRecord(new DataView(bytes.buffer), layout, 0, paramsRecord(op, params) as never);
    this.nodes.add({
      name: this.string(name),
      op: PLAN_OP_NAMES.indexOf(op),
      outputCount: outputs.length,
      inputCount: inputs.length,
      firstOperand: this.operands.length,
      paramsBytes: bytes.length,
      paramsOffset: bytes.length ? this.params.add(bytes) : 0,
    });
    for (const index of [...outputs, ...inputs]) this.operands.push(index === null ? PLAN_NONE : firstTensor + index);
  }

  private addPort({ name, tensor, type, dims, counted }: PlanPort, firstTensor: number): void {
    if (counted) this.counts.add({ port: this.ports.count, axis: counted.axis, tensor: firstTensor + counted.tensor });
    this.ports.add({
      name: this.string(name),
      tensor: firstTensor + tensor,
      type: PLAN_TYPES.indexOf(type),
      rank: dims.length,
      dims: [...dims],
    });
  }

  private string(value: string): RecordOf<'string'> {
    const bytes = encoder.encode(value);
    return { offset: this.strings.add(bytes), bytes: bytes.length };
  }
}

/** A table of equal records. */
class Records<L extends LayoutName> {
  private readonly list: Partial<RecordOf<L>>[] = [];
  private readonly layout: L;

  constructor(layout: L) {
    this.layout = layout;
  }

  get count(): number {
    return this.list.length;
  }

  add(record: Partial<RecordOf<L>>): void {
    this.list.push(record);
  }

  join(): Section {
    const step = layoutOf(this.layout).bytes;
    const bytes = new Uint8Array(this.list.length * step);
    const view = new DataView(bytes.buffer);
    for (const [i, record] of this.list.entries()) writeRecord(view, this.layout, i * step, record);
    return whole(bytes, this.list.length);
  }
}

/** Pieces of bytes at aligned offsets; equal pieces share one place. */
class Blob {
  private readonly pieces: Piece[] = [];
  private readonly byLength = new Map<number, Piece[]>();
  private end = 0;
  private readonly alignment: number;

  constructor(alignment: number) {
    this.alignment = alignment;
  }

  /** Offset of the piece. */
  add(bytes: Uint8Array): number {
    // Pieces that differ do so within a few bytes: comparing is cheaper than a digest of each.
    const alike = this.byLength.get(bytes.length) ?? [];
    const known = alike.find((piece) => piece.bytes === bytes || equal(piece.bytes, bytes));
    if (known) return known.offset;
    const piece = { offset: alignUp(this.end, this.alignment), bytes };
    this.end = piece.offset + bytes.length;
    this.pieces.push(piece);
    this.byLength.set(bytes.length, [...alike, piece]);
    return piece.offset;
  }

  join(): Section {
    return { length: this.end, pieces: this.pieces, count: this.end };
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function text(value: string): Section {
  return whole(encoder.encode(value));
}
