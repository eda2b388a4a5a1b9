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

/** SQNR of outputs from which on nothing need stay float: 25 dB, noise of 5.6 % of the amplitude, and one more as other samples have more. */
const ENOUGH_DB = 26;
/** What a share of the multiply-accumulates in float has to buy: 3 dB for a fifth of them. */
const DB_PER_SHARE = 15;
/** Shares that are tried. */
const SHARES = [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95] as const;
/** What fewer layers may lose of the gain. */
const SPARED_DB = 0.5;

/**
 * The layers that had better stay float: of at most `mostShare` of the multiply-accumulates, as many as buy most, each fifth of them being
 * worth 3 dB of the worst output's SQNR up to 26 dB; undefined where outputs are as good without, or nothing helps. Each layer's noise is what
 * the outputs have of it when it alone is on integers (noises of layers add up, nearly); those whose noise is
 * large, or large for their multiply-accumulates, come first.
 * @param judge SQNR of the worst output with these layers in float
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
  const noise = new Map<LayerCost, number>();
  for (const [index, layer] of layers.entries()) {
    const others = layers.filter((other) => other !== layer).map(({ name }) => name);
    noise.set(layer, 10 ** (-(await judge(new Set(others))) / 10));
    onLayer(index + 1, layers.length);
  }
  const worth = (layer: LayerCost) => noise.get(layer)! / Math.max(layer.macs, 1);
  const orders = [worth, (layer: LayerCost) => noise.get(layer)!].map((key) =>
    [...layers].sort((a, b) => key(b) - key(a)),
  );
  const shareOf = (chosen: Choice) => chosen.reduce((sum, { macs }) => sum + macs, 0) / all;
  const noiseOf = (chosen: Choice) => chosen.reduce((sum, layer) => sum + noise.get(layer)!, 0);
  const found = new Map<string, SqnrDb>();
  const judged = async (chosen: Choice): Promise<SqnrDb> => {
    const names = chosen.map(({ name }) => name).sort();
    const sqnrDb = found.get(names.join()) ?? (await judge(new Set(names)));
    found.set(names.join(), sqnrDb);
    return sqnrDb;
  };
  let [best, most]: [Choice, number] = [[], before];
  for (const share of new Set(SHARES.map((each) => Math.min(each, mostShare)))) {
    const chosen = orders.map((order) => fill(order, share * all)).reduce((a, b) => (noiseOf(b) > noiseOf(a) ? b : a));
    if (chosen.length === 0) continue;
    if (ENOUGH_DB - DB_PER_SHARE * shareOf(chosen) <= most) break;
    const score = Math.min(await judged(chosen), ENOUGH_DB) - DB_PER_SHARE * shareOf(chosen);
    if (score > most) [best, most] = [chosen, score];
  }
  if (best.length === 0) return undefined;
  // Outputs gain along the order: bisection between too few and enough.
  const order = [...best].sort((a, b) => worth(b) - worth(a));
  const aim = Math.min(ENOUGH_DB, (await judged(order)) - SPARED_DB);
  let [few, enough] = [0, order.length];
  while (enough - few > 1) {
    const middle = (few + enough) >> 1;
    if ((await judged(order.slice(0, middle))) >= aim) enough = middle;
    else few = middle;
  }
  const chosen = order.slice(0, enough);
  return {
    names: chosen.map(({ name }) => name),
    share: shareOf(chosen),
    sqnrDb: { before, after: await judged(chosen) },
  };
}

type Choice = readonly LayerCost[];

/** The first layers that fit into so many multiply-accumulates, those left out that do not fit any more. */
function fill(order: Choice, macs: number): Choice {
  let spent = 0;
  return order.filter((layer) => {
    const fits = spent + layer.macs <= macs;
    if (fits) spent += layer.macs;
    return fits;
  });
}
