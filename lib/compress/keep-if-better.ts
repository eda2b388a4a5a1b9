import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import { type Tensor, viewAs } from '../ir/tensor';
import { feedsOf, leastRun } from './feeds';
import { liftConstants } from './lift-constants';
import type { Runner } from './quantize/calibrate';
import { addPower, decibels, type Power, powerOf, type SqnrDb } from './quantize/measure-quality';

/** Least rise of the outputs' SQNR on held-out samples that a repair is kept for. */
const REPAIR_GAIN_DB = 0.2;
/** Fewest held-out samples that can tell whether a repair does good, and most that are asked. */
export const HELD_OUT_SAMPLES = { least: 32, most: 64 } as const;

/** A change that is meant to bring one layer nearer to what it computed; `State` is a graph, or a plan of one. */
export interface Repair<State> {
  /** Name for reports. */
  readonly layer: string;
  /** The state with the change. Repairs of different layers do not look at each other: any subset can be applied, in order. */
  readonly apply: (state: State) => State;
}

/** The repair of a graph that gives some of its constants other values. */
export interface TensorRepair extends Repair<Graph> {
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A repair of these constants, by name. */
export function tensorRepair(layer: string, tensors: ReadonlyMap<string, Tensor>): TensorRepair {
  return {
    layer,
    tensors,
    apply: (graph) => ({ ...graph, initializers: new Map([...graph.initializers, ...tensors]) }),
  };
}

/** SQNR of a state's outputs against those of the original network, on held-out samples. */
export type Judge<State> = (state: State) => Promise<SqnrDb>;

export interface KeptRepairs<State> {
  readonly state: State;
  /** Layers whose repair was kept, in the order given. */
  readonly kept: readonly string[];
  /** Of the start, and of `state`. */
  readonly sqnrDb: { readonly before: SqnrDb; readonly after: SqnrDb };
}

/**
 * `start` with those of the repairs that held-out outputs gain by. All are tried together first, and halves of a group that does
 * not gain, so that repairs which need each other find each other. Then each kept one is left out in turn, and stays out where
 * less than `gainDb` of the best is lost without it: what buys nothing, or harms behind the gains of others, goes. About one
 * judgement per repair, two at most and three in mixed cases. An exact start (infinite SQNR) is kept as it is.
 * @param most judgements that may be made: what they do not reach stays out of the groups, or in the set that gains as a whole
 */
export async function keepIfBetter<State>(
  start: State,
  repairs: readonly Repair<State>[],
  judge: Judge<State>,
  gainDb: number = REPAIR_GAIN_DB,
  most: number = Number.POSITIVE_INFINITY,
): Promise<KeptRepairs<State>> {
  type Set = readonly Repair<State>[];
  const applied = (set: Set) =>
    repairs.reduce((state, each) => (set.includes(each) ? each.apply(state) : state), start);
  let left = most;
  const judged = async (set: Set) => {
    left--;
    return orWorst(await judge(applied(set)));
  };
  // Infinity minus Infinity is NaN: no gain.
  const gains = (found: SqnrDb, over: SqnrDb) => found - over >= gainDb;

  const before = await judged([]);
  let [set, best]: [Set, SqnrDb] = [[], before];
  const offer = async (group: Set): Promise<void> => {
    if (group.length === 0 || left <= 0) return;
    const found = await judged([...set, ...group]);
    if (gains(found, best)) [set, best] = [[...set, ...group], found];
    else if (group.length > 1) {
      const middle = group.length >> 1;
      await offer(group.slice(0, middle));
      await offer(group.slice(middle));
    }
  };
  await offer(repairs);

  let after = best;
  for (const repair of set.length > 1 && set.length <= left ? set : []) {
    const rest = set.filter((each) => each !== repair);
    const found = await judged(rest);
    if (gains(best, found) || !gains(found, before)) continue;
    [set, after, best] = [rest, found, Math.max(best, found)];
  }
  const kept = repairs.filter((each) => set.includes(each)).map(({ layer }) => layer);
  return { state: applied(set), kept, sqnrDb: { before, after } };
}

/** A state whose outputs are no numbers is worse than any other. */
function orWorst(sqnrDb: SqnrDb): SqnrDb {
  return Number.isNaN(sqnrDb) ? Number.NEGATIVE_INFINITY : sqnrDb;
}

/**
 * Calibration samples in two parts: those that repairs of `graph` are fitted on, and those held out to judge them, taken evenly
 * over the order (files are often sorted by class). Undefined when there are fewer than twice `HELD_OUT_SAMPLES.least`, or two
 * batches where the graph fixes one: automatic repairs are off then, and the caller says so with `tooFewToRepair`.
 * @throws E_DATA_MISMATCH when the samples do not fit
 */
export function holdOutForRepairs(
  graph: Graph,
  dataset: Dataset,
): { readonly fitted: Dataset; readonly heldOut: Dataset } | undefined {
  const { least, most } = HELD_OUT_SAMPLES;
  const { count } = dataset;
  if (count < 2 * least) return undefined;
  const run = leastRun(graph, dataset);
  const held = Math.ceil(Math.max(least, Math.min(most, count >> 2)) / run) * run;
  if (count - held < Math.max(least, run)) return undefined;
  const { rest, held: heldOut } = splitEvenly(dataset, held);
  return { fitted: rest, heldOut };
}

/** `held` of `count` indices, taken evenly. */
export function evenly(count: number, held: number): Uint32Array {
  return Uint32Array.from({ length: held }, (_, index) => Math.floor(((index + 0.5) * count) / held));
}

/** `held` samples taken evenly over the order of a dataset (files are often sorted by class), and the rest. */
export function splitEvenly(dataset: Dataset, held: number): { readonly rest: Dataset; readonly held: Dataset } {
  const { count } = dataset;
  const taken = evenly(count, held);
  const out = new Set(taken);
  const rest = Uint32Array.from({ length: count }, (_, index) => index).filter((index) => !out.has(index));
  return { rest: dataset.select(rest), held: dataset.select(taken) };
}

/** Why repairs are off, in words. */
export function tooFewToRepair({ count }: Pick<Dataset, 'count'>): string {
  const { least } = HELD_OUT_SAMPLES;
  return `${count} calibration samples are too few to tell whether it helps: ${2 * least} are needed, ${least} to fit and ${least} to judge by`;
}

/** Elements of the original's outputs that are kept; larger ones are computed again for each judgement. */
const REMEMBERED = 2 ** 24;

/**
 * A judge of graphs by their outputs beside those of `reference`, from the same inputs. Outputs weigh alike: noise is told as a
 * share of each one's power, and the mean of the shares counts. Outputs that are not float32 do not count; undefined when no output does.
 * @param varied initializers that alone differ between the graphs that will be judged: they then share one session
 * @throws (the judge) E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export function outputJudge(
  reference: Graph,
  heldOut: Dataset,
  { evaluate, signal }: Pick<Runner, 'evaluate' | 'signal'>,
  varied?: readonly string[],
): Judge<Graph> | undefined {
  const names = reference.outputs.filter((name) => reference.values.get(name)?.type === 'float32');
  if (names.length === 0) return undefined;
  const remembered = new Map<number, ReadonlyMap<string, Tensor>>();
  let elements = 0;
  const expectedAt = async (index: number, inputs: ReadonlyMap<string, Tensor>) => {
    const known = remembered.get(index);
    if (known) return known;
    const found = await evaluate(reference, inputs, names);
    for (const name of names) elements += viewAs(found.get(name)!, 'float32').length;
    if (elements <= REMEMBERED) remembered.set(index, found);
    return found;
  };
  let lifted: Graph | undefined;
  return async (graph) => {
    const own = new Map((varied ?? []).map((name) => [name, graph.initializers.get(name)!] as const));
    if (varied) lifted ??= liftConstants(graph, own);
    const sums = names.map((): Power => ({ signal: 0, noise: 0 }));
    let index = 0;
    for await (const { inputs } of feedsOf(reference, heldOut, signal)) {
      const expected = await expectedAt(index++, inputs);
      // Outputs of a candidate may have other names; their order is the same.
      const places = names.map((name) => graph.outputs[reference.outputs.indexOf(name)]);
      const found = await evaluate(lifted ?? graph, lifted ? new Map([...inputs, ...own]) : inputs, places);
      names.forEach((name, at) => {
        const [x, y] = [viewAs(expected.get(name)!, 'float32'), viewAs(found.get(places[at])!, 'float32')];
        sums[at] = addPower(sums[at], powerOf(x, y));
      });
    }
    const shares = sums.map(({ signal: power, noise }) => (noise === 0 ? 0 : noise / power));
    return decibels(1, shares.reduce((sum, share) => sum + share, 0) / names.length);
  };
}
