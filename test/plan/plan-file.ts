import { crc32 } from '../../lib/plan/crc32';
import { isScalar, type LayoutName, layoutOf, type RecordOf } from '../../lib/plan/format';
import { PLAN_OP_NAMES, PLAN_OPS } from '../../lib/plan/plan-ops';
import { readRecord } from '../../lib/plan/record';

const TABLES = {
  variants: 'variant',
  tensors: 'tensor',
  nodes: 'node',
  ports: 'port',
  states: 'state',
  encoded: 'weights',
  counts: 'count',
} as const;
type Table = keyof typeof TABLES;

/** A plan file whose fields can be changed one by one; the checksum follows. */
export class PlanFile {
  private readonly file: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.file = bytes.slice();
    this.view = new DataView(this.file.buffer);
  }

  /** The file with its checksum set right. */
  bytes(): Uint8Array {
    this.view.setUint32(24, 0, true);
    this.view.setUint32(24, crc32(this.file), true);
    return this.file;
  }

  record<T extends Table>(table: T, index: number): RecordOf<(typeof TABLES)[T]> {
    return readRecord(this.view, TABLES[table], this.recordAt(table, index));
  }

  /** Sets a field of the header; `path` as in `set`. */
  setHeader(path: string, value: number): void {
    this.write('header', 0, path, value);
  }

  /** Sets a field of a record: `scale`, `dims.2`, `name.bytes`. */
  set(table: Table, index: number, path: string, value: number): void {
    this.write(TABLES[table], this.recordAt(table, index), path, value);
  }

  /** Sets a field of a node's parameters: `clamp.lo`, `dstStrides.0`. */
  setParams(node: number, path: string, value: number): void {
    const { op, paramsOffset } = this.record('nodes', node);
    const layout = PLAN_OPS[PLAN_OP_NAMES[op]].params;
    if (layout === undefined) throw new Error(`${PLAN_OP_NAMES[op]} has no parameters`);
    this.write(layout, this.section('params') + paramsOffset, path, value);
  }

  /** Tensor of an operand; outputs first. */
  operand(node: number, place: number): number {
    return this.view.getUint32(this.operandAt(node, place), true);
  }

  setOperand(node: number, place: number, tensor: number): void {
    this.view.setUint32(this.operandAt(node, place), tensor, true);
  }

  /** Sets element `index` of a constant tensor. */
  setConstant(tensor: number, index: number, value: number): void {
    const { type, offset } = this.record('tensors', tensor);
    const at = this.section('weights') + offset;
    if (type === 0) this.view.setFloat32(at + 4 * index, value, true);
    else if (type === 3) this.view.setInt32(at + 4 * index, value, true);
    else this.view.setInt8(at + index, value);
  }

  private operandAt(node: number, place: number): number {
    return this.section('operands') + 4 * (this.record('nodes', node).firstOperand + place);
  }

  private recordAt(table: Table, index: number): number {
    return this.section(table) + index * layoutOf(TABLES[table]).bytes;
  }

  private section(name: keyof RecordOf<'header'>): number {
    return (readRecord(this.view, 'header', 0)[name] as RecordOf<'section'>).offset;
  }

  private write(layout: LayoutName, at: number, path: string, value: number): void {
    const [name, ...rest] = path.split('.');
    const field = layoutOf(layout).fields.find((item) => item.name === name);
    if (field === undefined) throw new Error(`${layout} has no field ${name}`);
    const { type, offset } = field;
    if (!isScalar(type)) {
      this.write(type as LayoutName, at + offset, rest.join('.'), value);
      return;
    }
    const index = Number(rest[0] ?? 0);
    const { view } = this;
    const writers = {
      u8: () => view.setUint8(at + offset + index, value),
      u16: () => view.setUint16(at + offset + 2 * index, value, true),
      u32: () => view.setUint32(at + offset + 4 * index, value, true),
      i32: () => view.setInt32(at + offset + 4 * index, value, true),
      f32: () => view.setFloat32(at + offset + 4 * index, value, true),
      u64: () => view.setBigUint64(at + offset + 8 * index, BigInt(value), true),
      i64: () => view.setBigInt64(at + offset + 8 * index, BigInt(value), true),
    };
    writers[type]();
  }
}
