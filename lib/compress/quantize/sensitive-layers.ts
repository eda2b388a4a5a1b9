import type { SqnrDb } from './measure-quality';

/** Layers that stay float because outputs lose too much with them on integers. */
export interface SensitiveLayers {
  /** Node names, the most sensitive first. */
  readonly names: readonly string[];
  /** Their share of the multiply-accumulates of all layers. */
  readonly share: number;
  /** SQNR of the outputs with all layers on integers, and with these in float. */
  readonly sqnrDb: { readonly before: SqnrDb; readonly after: SqnrDb };
}

/** A layer that can stay float. */
export interface LayerCost {
  readonly name: string;
  /** Multiply-accumulates of a sample: what its integers save. */
  readonly macs: number;
}

/** SQNR of outputs from which on nothing need stay float: noise is 5.6 % of the amplitude. */
const ENOUGH_DB = 25;
/** Least gain that layers stay float for. */
const WORTHWHILE_DB = 3;
/** What fewer layers may lose of that gain. */
const SPARED_DB = 0.5;

/**
 * The fewest layers in float with which the outputs reach 25 dB, or as much as layers of at most `mostShare` of the multiply-accumulates
 * buy, if that is 3 dB; undefined where outputs are as good without, or nothing helps. Each layer's noise is what the outputs have of it
 * when it alone is on integers (noises of layers add up, nearly); layers whose noise is large for their multiply-accumulates come first.
 * @param judge SQNR of the outputs with these layers in float
 * @param onLayer called with the layers tried so far and all
 */
export async function sensitiveLayers(
  layers: readonly LayerCost[],
  mostShare: number,
  judge: (float: ReadonlySet<string>) => Promise<SqnrDb>,
  onLayer: (done: number, total: number) => void = () => {},
): Promise<SensitiveLayers | undefined> {
  if (mostShare === 0 || layers.length < 2) return undefined;
  const before = await judge(new Set());
  if (!Number.isFinite(before) || before >= ENOUGH_DB) return undefined;
  const all = layers.reduce((sum, { macs }) => sum + macs, 0);
  const worth = new Map<LayerCost, number>();
  for (const [index, layer] of layers.entries()) {
    const others = layers.filter((other) => other !== layer).map(({ name }) => name);
    const alone = await judge(new Set(others));
    worth.set(layer, 10 ** (-alone / 10) / Math.max(layer.macs, 1));
    onLayer(index + 1, layers.length);
  }
  const order: LayerCost[] = [];
  let spent = 0;
  for (const layer of [...layers].sort((a, b) => worth.get(b)! - worth.get(a)!)) {
    if (spent + layer.macs > mostShare * all) continue;
    order.push(layer);
    spent += layer.macs;
  }
  const first = (count: number) => order.slice(0, count).map(({ name }) => name);
  const found = new Map<number, SqnrDb>([[0, before]]);
  const judged = async (count: number): Promise<SqnrDb> => {
    const sqnrDb = found.get(count) ?? (await judge(new Set(first(count))));
    found.set(count, sqnrDb);
    return sqnrDb;
  };
  const best = await judged(order.length);
  if (!(best - before >= WORTHWHILE_DB) && !(best >= ENOUGH_DB)) return undefined;
  // Outputs gain along the order: bisection between too few and enough.
  const aim = Math.min(ENOUGH_DB, best - SPARED_DB);
  let [few, enough] = [0, order.length];
  while (enough - few > 1) {
    const middle = (few + enough) >> 1;
    if ((await judged(middle)) >= aim) enough = middle;
    else few = middle;
  }
  const macs = order.slice(0, enough).reduce((sum, layer) => sum + layer.macs, 0);
  return { names: first(enough), share: macs / all, sqnrDb: { before, after: await judged(enough) } };
}
