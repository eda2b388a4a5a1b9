import type { SensitivityRow } from './quantization-sensitivity';

/** Bits of weights by layer. */
export type BitAllocation = ReadonlyMap<string, number>;

/** Damage of one row: the divergence of the classes, or where there are none the noise beside the signal. */
function damageOf({ kl, sqnrDb }: Pick<SensitivityRow, 'kl' | 'sqnrDb'>): number {
  return kl ?? 10 ** (-sqnrDb / 10);
}

/**
 * Allocations from the most bits of every layer to the fewest, each with one layer changed: always the one, and to the bits,
 * that add the least damage per bit saved (the greedy solution of the multiple-choice knapsack problem, which is optimal at
 * each of its steps on the convex hull of every layer's damages). Damages of several layers count as their sum.
 */
export function allocationPath(rows: readonly SensitivityRow[]): readonly BitAllocation[] {
  const byLayer = new Map<string, SensitivityRow[]>();
  for (const row of rows) byLayer.set(row.layer, [...(byLayer.get(row.layer) ?? []), row]);
  const current = new Map<string, SensitivityRow>();
  for (const [layer, choices] of byLayer) {
    choices.sort((a, b) => b.bits - a.bits);
    current.set(layer, choices[0]);
  }
  const snapshot = (): BitAllocation => new Map([...current].map(([layer, { bits }]) => [layer, bits]));
  const path = [snapshot()];
  for (;;) {
    let best: { readonly row: SensitivityRow; readonly price: number } | undefined;
    for (const [layer, choices] of byLayer) {
      const from = current.get(layer)!;
      for (const row of choices) {
        if (row.bits >= from.bits) continue;
        const price = Math.max(0, damageOf(row) - damageOf(from)) / ((from.bits - row.bits) * row.weights);
        if (best === undefined || price < best.price) best = { row, price };
      }
    }
    if (best === undefined) return path;
    current.set(best.row.layer, best.row);
    path.push(snapshot());
  }
}

/** Mean bits of a weight under an allocation. */
export function averageBits(allocation: BitAllocation, rows: readonly SensitivityRow[]): number {
  const weights = new Map(rows.map((row) => [row.layer, row.weights]));
  let [bits, count] = [0, 0];
  for (const [layer, each] of allocation) {
    bits += each * weights.get(layer)!;
    count += weights.get(layer)!;
  }
  return bits / count;
}
