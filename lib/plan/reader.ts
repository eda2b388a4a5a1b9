import { HoneError } from '../core/error';
import { findPlanFault } from './check';
import { crc32 } from './crc32';
import type { PlanDescription, PlanNode, PlanPort, PlanTensor, PlanVariant, PlanWeights } from './description';
import {
  type LayoutName,
  layoutOf,
  PLAN_ALIGNMENT,
  PLAN_ENCODINGS,
  PLAN_MAGIC,
  PLAN_MAX_RANK,
  PLAN_NONE,
  PLAN_PLACES,
  PLAN_TYPES,
  PLAN_VERSION,
  PLAN_ZERO_POINTS,
  type RecordOf,
} from './format';
import { inputIndex } from './op-rule';
import { paramsOf } from './params';
import { PLAN_OP_NAMES, PLAN_OPS } from './plan-ops';
import { readRecord } from './record';
import { codeTableBytes } from './weights';

/**
 * The description of a plan file. Constants view `bytes`; equal ones come back once, in file order; unused ones not.
 * @throws E_PLAN_FORMAT for anything out of bounds or inconsistent; E_PLAN_VERSION for another version of the format
 */
export function readPlan(bytes: Uint8Array): PlanDescription {
  const file = new File(bytes);
  const constants = new Constants(file);
  file.requireCounts();
  const variants = file.records('variants', 'variant').map((variant) => readVariant(file, variant, constants));
  const metadata = parseMetadata(file.text(file.section('metadata')));
  const hex = file.header.sourceHash.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const encoded = file.records('encoded', 'weights').map((record) => readWeights(record, constants));
  const plan = {
    sourceHash: hex,
    metadata,
    constants: constants.list,
    ...(encoded.length > 0 ? { encoded } : {}),
    variants,
  };
  const fault = findPlanFault(plan);
  if (fault) throw broken(fault);
  return plan;
}

function broken(reason: string): HoneError {
  return new HoneError('E_PLAN_FORMAT', { reason });
}

type SectionName = {
  [K in keyof RecordOf<'header'>]: RecordOf<'header'>[K] extends number | number[] ? never : K;
}[keyof RecordOf<'header'>];

/** Checked access to the sections of a file. */
class File {
  readonly header: RecordOf<'header'>;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    const headerBytes = layoutOf('header').bytes;
    const magic = PLAN_MAGIC.length;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < headerBytes) throw broken(`${bytes.length} bytes are too few for a header`);
    if (new TextDecoder('latin1').decode(bytes.subarray(0, magic)) !== PLAN_MAGIC)
      throw broken('it does not begin with the plan magic');
    this.header = readRecord(this.view, 'header', 0);
    const { version, fileBytes } = this.header;
    if (version < 1 || version > PLAN_VERSION)
      throw new HoneError('E_PLAN_VERSION', { found: version, expected: PLAN_VERSION });
    if (this.header.headerBytes !== headerBytes) throw broken(`header of ${this.header.headerBytes} bytes`);
    if (fileBytes !== bytes.length) throw broken(`${fileBytes} bytes are announced, ${bytes.length} are there`);
    this.checkCrc();
  }

  /** Bytes of a section. */
  section(name: SectionName, step = 1): Uint8Array {
    const { offset, count } = this.header[name];
    if (offset % PLAN_ALIGNMENT || offset + count * step > this.bytes.length)
      throw broken(`section ${name} (offset ${offset}, count ${count}) is out of bounds`);
    return this.bytes.subarray(offset, offset + count * step);
  }

  /** All records of a table. */
  records<L extends LayoutName>(name: SectionName, layout: L): RecordOf<L>[] {
    const step = layoutOf(layout).bytes;
    this.section(name, step);
    const { offset, count } = this.header[name];
    return Array.from({ length: count }, (_, i) => readRecord(this.view, layout, offset + i * step));
  }

  /** Every count belongs to one port, in the order of the ports. */
  requireCounts(): void {
    const ports = this.records('counts', 'count').map(({ port }) => port);
    if (ports.some((port, i) => port >= this.header.ports.count || (i > 0 && port <= ports[i - 1])))
      throw broken('a count belongs to no output, or not in its place');
  }

  text(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw broken('a text is not UTF-8');
    }
  }

  string({ offset, bytes }: RecordOf<'string'>): string {
    return this.text(slice(this.section('strings'), offset, bytes, 'string'));
  }

  private checkCrc(): void {
    const at = layoutOf('header').fields.find((field) => field.name === 'crc32')!.offset;
    const before = crc32(this.bytes.subarray(0, at));
    const found = crc32(this.bytes.subarray(at + 4), crc32(new Uint8Array(4), before));
    if (found !== this.header.crc32) throw broken('the checksum does not match');
  }
}

function readVariant(file: File, variant: RecordOf<'variant'>, constants: Constants): PlanVariant {
  const { firstTensor, tensorCount } = variant;
  const range = <T>(what: string, all: readonly T[], first: number, count: number): readonly T[] => {
    if (first + count > all.length) throw broken(`variant refers to ${what} ${first} to ${first + count}`);
    return all.slice(first, first + count);
  };
  const local = (index: number): number => {
    if (index < firstTensor || index >= firstTensor + tensorCount) throw broken(`no tensor ${index} in the variant`);
    return index - firstTensor;
  };
  const ports = file.records('ports', 'port');
  const counts = new Map(file.records('counts', 'count').map((count) => [count.port, count]));
  const portsFrom = (first: number, count: number): PlanPort[] =>
    range('ports', ports, first, count).map((record, i) => {
      const counted = counts.get(first + i);
      return {
        name: file.string(record.name),
        tensor: local(record.tensor),
        type: pick(PLAN_TYPES, record.type, 'type'),
        dims: dimsOf(record),
        ...(counted ? { counted: { axis: counted.axis, tensor: local(counted.tensor) } } : {}),
      };
    });
  return {
    name: file.string(variant.name),
    tensors: range('tensors', file.records('tensors', 'tensor'), firstTensor, tensorCount).map((record) =>
      readTensor(file, record, constants),
    ),
    nodes: range('nodes', file.records('nodes', 'node'), variant.firstNode, variant.nodeCount).map((record) =>
      readNode(file, record, local),
    ),
    inputs: portsFrom(variant.firstInput, variant.inputCount),
    outputs: portsFrom(variant.firstOutput, variant.outputCount),
    states: range('states', file.records('states', 'state'), variant.firstState, variant.stateCount).map((state) => ({
      input: local(state.inputTensor),
      output: local(state.outputTensor),
    })),
    arenaBytes: variant.arenaBytes,
  };
}

function readTensor(file: File, record: RecordOf<'tensor'>, constants: Constants): PlanTensor {
  const { scale, zeroPoint, pitch, offset, bytes } = record;
  const base = {
    name: file.string(record.name),
    type: pick(PLAN_TYPES, record.type, 'type'),
    dims: dimsOf(record),
    scale,
    zeroPoint,
    pitch,
  };
  const place = pick(PLAN_PLACES, record.place, 'place');
  if (place === 'port') return { ...base, place };
  if (place === 'encoded') return { ...base, place, weights: offset };
  if (place === 'constant') return { ...base, place, constant: constants.indexOf(offset, bytes) };
  return { ...base, place, offset };
}

function readWeights(record: RecordOf<'weights'>, constants: Constants): PlanWeights {
  const weights = headOf(record);
  const tableBytes = codeTableBytes(weights, record.bytes);
  return {
    ...weights,
    codes: constants.indexOf(record.offset, record.bytes),
    ...(tableBytes > 0 ? { table: constants.indexOf(record.table, tableBytes) } : {}),
  };
}

/** What a record says without its places. */
function headOf({ encoding, type, bits, flags, row, group, reserved }: RecordOf<'weights'>) {
  if (flags > PLAN_ZERO_POINTS || reserved !== 0) throw broken(`weights with flags ${flags} and ${reserved}`);
  return {
    encoding: pick(PLAN_ENCODINGS, encoding, 'encoding'),
    type: pick(PLAN_TYPES, type, 'type') as PlanWeights['type'],
    bits: bits as PlanWeights['bits'],
    row,
    group,
    zeroPoints: flags === PLAN_ZERO_POINTS,
  };
}

function readNode(file: File, record: RecordOf<'node'>, local: (index: number) => number): PlanNode {
  const { outputCount, inputCount, firstOperand, paramsOffset, paramsBytes } = record;
  const op = pick(PLAN_OP_NAMES, record.op, 'operation');
  const operands = slice(file.section('operands'), firstOperand * 4, (outputCount + inputCount) * 4, 'operands');
  const view = new DataView(operands.buffer, operands.byteOffset, operands.byteLength);
  const indices = Array.from({ length: outputCount + inputCount }, (_, i) => {
    const index = view.getUint32(i * 4, true);
    return index === PLAN_NONE ? null : local(index);
  });
  const outputs = indices.slice(0, outputCount).map((index) => index ?? -1);
  const inputs = indices.slice(outputCount);
  const layout = PLAN_OPS[op].params;
  if (paramsBytes !== (layout ? layoutOf(layout).bytes : 0)) throw broken(`${op} has ${paramsBytes} parameter bytes`);
  const blob = slice(file.section('params'), paramsOffset, paramsBytes, 'parameters');
  const values = layout ? readRecord(new DataView(blob.buffer, blob.byteOffset, blob.byteLength), layout, 0) : {};
  const residual = inputs[inputIndex(PLAN_OPS[op], 'residual')] ?? null;
  const params = paramsOf(op, values as Record<string, unknown>, residual !== null);
  return { name: file.string(record.name), op, outputs, inputs, ...(layout ? { params } : {}) } as PlanNode;
}

/** The distinct constants in the order of the weights section. */
class Constants {
  readonly list: readonly Uint8Array[];
  private readonly indices: ReadonlyMap<string, number>;

  constructor(file: File) {
    const constant = PLAN_PLACES.indexOf('constant');
    const tensors = file.records('tensors', 'tensor').filter(({ place }) => place === constant);
    const records = [...tensors, ...file.records('encoded', 'weights').flatMap(piecesOf)];
    const places = new Map(records.map(({ offset, bytes }) => [`${offset}:${bytes}`, { offset, bytes }]));
    const sorted = [...places.entries()].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
    this.indices = new Map(sorted.map(([key], index) => [key, index]));
    this.list = sorted.map(([, { offset, bytes }]) => {
      if (offset % PLAN_ALIGNMENT) throw broken(`constant at ${offset} is not aligned`);
      return slice(file.section('weights'), offset, bytes, 'constant');
    });
  }

  indexOf(offset: number, bytes: number): number {
    return this.indices.get(`${offset}:${bytes}`)!;
  }
}

/** Where codes and their table lie. */
function piecesOf(record: RecordOf<'weights'>): { offset: number; bytes: number }[] {
  const { offset, bytes, table } = record;
  const tableBytes = codeTableBytes(headOf(record), bytes);
  return [{ offset, bytes }, ...(tableBytes > 0 ? [{ offset: table, bytes: tableBytes }] : [])];
}

function dimsOf({ rank, dims }: { rank: number; dims: number[] }): number[] {
  if (rank > PLAN_MAX_RANK) throw broken(`rank ${rank} is above ${PLAN_MAX_RANK}`);
  return dims.slice(0, rank);
}

function slice(bytes: Uint8Array, offset: number, length: number, what: string): Uint8Array {
  if (offset + length > bytes.length) throw broken(`${what} at ${offset} (${length} bytes) is out of bounds`);
  return bytes.subarray(offset, offset + length);
}

function pick<T>(list: readonly T[], index: number, what: string): T {
  if (index >= list.length) throw broken(`${what} number ${index}`);
  return list[index];
}

function parseMetadata(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken('the metadata are not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken('the metadata are no object');
  return value as Record<string, unknown>;
}
