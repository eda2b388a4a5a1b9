import { elementCount } from '../ir/tensor';
import type { PlanWeights } from '../plan/description';
import type { OpRule } from '../plan/op-rule';
import { PLAN_OPS } from '../plan/plan-ops';
import type { Buffer, Place, Step } from './step';
import { findWeightCodes, type WeightCodes } from './weight-codes';

/** The constants of a plan in the making: elements, codes and tables, and what is held as codes. Variants share them. */
export class PlanConstants {
  readonly list: Uint8Array[] = [];
  readonly encoded: PlanWeights[] = [];
  private readonly indices = new Map<Uint8Array, number>();

  /** Index of the constant of these bytes. */
  add(bytes: Uint8Array): number {
    let index = this.indices.get(bytes);
    if (index === undefined) {
      index = this.list.push(bytes) - 1;
      this.indices.set(bytes, index);
    }
    return index;
  }

  /** Index of the weights that hold a constant in rows of `row` elements as codes; undefined when none are smaller. */
  addCodes(
    type: Buffer['type'],
    { bytes, scaled }: Extract<Place, { kind: 'constant' }>,
    row: number,
  ): number | undefined {
    const found = type === 'int8' || type === 'float32' ? findWeightCodes(bytes, type, row, scaled) : undefined;
    if (found === undefined) return undefined;
    const known = this.encoded.findIndex((weights) => this.isSame(weights, found));
    if (known !== -1) return known;
    const { codes, table, ...rest } = found;
    const weights = { ...rest, codes: this.add(codes), ...(table ? { table: this.add(table) } : {}) };
    return this.encoded.push(weights) - 1;
  }

  /** Whether weights are those: engines pack each record once. */
  private isSame({ codes, table, ...rest }: PlanWeights, found: WeightCodes): boolean {
    const { codes: bytes, table: entries, ...others } = found;
    return (
      JSON.stringify(rest) === JSON.stringify(others) &&
      isEqual(this.list[codes], bytes) &&
      (table === undefined || isEqual(this.list[table], entries!))
    );
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Constants that kernels take as codes wherever they are read, by buffer, with the elements of a row. */
export function codedBuffers(steps: readonly Step[]): ReadonlyMap<number, number> {
  const rows = new Map<number, number>();
  const others = new Set<number>();
  for (const { op, inputs } of steps) {
    const { coded }: OpRule = PLAN_OPS[op];
    for (const [index, operand] of inputs.entries()) {
      if (operand?.buffer.place.kind !== 'constant') continue;
      const { dims, buffer } = operand;
      // Scales of a convolution go by output channel.
      const row = dims.length === 4 ? elementCount(dims.slice(1)) : (dims.at(-1) ?? 1);
      if (!coded.includes(index)) others.add(buffer.id);
      else if (!rows.has(buffer.id)) rows.set(buffer.id, row);
    }
  }
  for (const id of others) rows.delete(id);
  return rows;
}
