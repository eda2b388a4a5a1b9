import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { type Judge, keepIfBetter, type Repair } from '../keep-if-better';
import type { Judges } from './judge-outputs';
import { comparePower, decibels, type Power, type SqnrDb } from './measure-quality';
import { isFloat32 } from './roles';

/** One kind of repair, and what held-out samples said to it. */
export interface QuantizeRepair {
  readonly what: 'equalization' | 'rounding' | 'biases';
  /** Layers (pairs of them, for equalization) with such a repair, and those that kept it. */
  readonly tried: number;
  readonly kept: readonly string[];
  /** SQNR of the outputs on held-out samples, without any and with the kept ones. */
  readonly sqnrDb: { readonly before: SqnrDb; readonly after: SqnrDb };
}

/** Fewest held-out samples that can tell whether a repair does good. */
export const FEWEST_JUDGED = 8;
/** Layers up to which each repair is judged by itself; of more of them all are judged together, or halves. */
const SINGLE_LAYERS = 6;
/** Judgements of one kind of repair for many layers: of the start, of all and of halves. */
const JOINT_JUDGEMENTS = 4;

/** SQNR beyond which a sample is as good as exact. */
const MOST_DB = 60;

/** Keeps those of some repairs that held-out outputs gain by; they remember what became of them. */
export interface QuantizeRepairs {
  keep<State>(
    what: QuantizeRepair['what'],
    start: State,
    repairs: readonly Repair<State>[],
    graphOf: (state: State) => Graph | Promise<Graph>,
  ): Promise<State>;
  readonly reports: readonly QuantizeRepair[];
}

/**
 * QuantizeRepairs judged as the result will be: by the integer engine where it runs the network. Undefined when fewer than 8 samples are
 * held out, or no output is float32: repairs are off then.
 */
export function openQuantizeRepairs(
  reference: Graph,
  heldOut: Dataset | undefined,
  judges: Judges,
  signal?: AbortSignal,
): QuantizeRepairs | undefined {
  const names = reference.outputs.filter((name) => isFloat32(reference, name));
  if (heldOut === undefined || heldOut.count < FEWEST_JUDGED || names.length === 0) return undefined;
  const judged = finishedJudge(names, heldOut, judges, signal);
  const judge: Judge<Graph> = async (graph) => (await judged(graph)).sqnrDb;
  const reports: QuantizeRepair[] = [];
  return {
    reports,
    async keep(what, start, repairs, graphOf) {
      if (repairs.length === 0) return start;
      const judged = async (state: typeof start) => judge(await graphOf(state));
      const most = repairs.length > SINGLE_LAYERS ? JOINT_JUDGEMENTS : undefined;
      const { state, kept, sqnrDb } = await keepIfBetter(start, repairs, judged, undefined, most);
      reports.push({ what, tried: repairs.length, kept, sqnrDb });
      return state;
    },
  };
}

/** What a judge of finished networks says. */
export interface Judgement {
  /** Of all samples together, and of all outputs. */
  readonly sqnrDb: SqnrDb;
  /** Of the output with the most noise. */
  readonly worstDb: SqnrDb;
  /**
   * Mean over samples, each from 0 to 60 dB: of two networks it tells which has less noise even where a few samples that stand on an edge (a
   * score that tips over) decide over the sum.
   */
  readonly typicalDb: SqnrDb;
}

/**
 * A judge of finished networks by the named outputs, which weigh alike; outputs that are 0 in all samples do not count, as any noise
 * is infinitely larger.
 */
export function finishedJudge(
  names: readonly string[],
  heldOut: Dataset,
  { float, open }: Judges,
  signal: AbortSignal | undefined,
): (graph: Graph) => Promise<Judgement> {
  const judged = new WeakMap<Graph, Judgement>();
  return async (graph) => {
    const before = judged.get(graph);
    if (before !== undefined) return before;
    const finished = await open(graph);
    try {
      const pairs = new Map(names.map((name) => [name, name]));
      const compared = { graph: finished.graph, float, quantized: finished.run, pairs };
      let [typical, count] = [0, 0];
      const onSample = (_: string, { signal: all, noise }: Power) => {
        if (all === 0) return;
        typical += noise === 0 ? MOST_DB : Math.min(MOST_DB, Math.max(0, decibels(all, noise)));
        count++;
      };
      const power = await comparePower(compared, heldOut, { ...(signal && { signal }), onSample });
      const shares = [...power.values()]
        .filter(({ signal: all }) => all > 0)
        .map(({ signal: all, noise }) => (noise === 0 ? 0 : noise / all));
      const sqnrDb = decibels(1, shares.reduce((sum, share) => sum + share, 0) / Math.max(shares.length, 1));
      const judgement = {
        sqnrDb,
        worstDb: decibels(1, Math.max(0, ...shares)),
        typicalDb: typical / Math.max(count, 1),
      };
      judged.set(graph, judgement);
      return judgement;
    } finally {
      await finished.close();
    }
  };
}
