import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { HELD_OUT_SAMPLES, type Judge, keepIfBetter, type Repair } from '../keep-if-better';
import type { Judges } from './judge-outputs';
import { comparePower, decibels, type SqnrDb } from './measure-quality';
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

/** Layers up to which each repair is judged by itself; of more of them all are judged together, or halves. */
const SINGLE_LAYERS = 6;
/** Judgements of one kind of repair for many layers: of the start, of all and of halves. */
const JOINT_JUDGEMENTS = 4;

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
 * QuantizeRepairs judged as the result will be: by the integer engine where it runs the network. Undefined when fewer than 32 samples are
 * held out, or no output is float32: repairs are off then.
 */
export function openQuantizeRepairs(
  reference: Graph,
  heldOut: Dataset | undefined,
  judges: Judges,
  signal?: AbortSignal,
): QuantizeRepairs | undefined {
  const names = reference.outputs.filter((name) => isFloat32(reference, name));
  if (heldOut === undefined || heldOut.count < HELD_OUT_SAMPLES.least || names.length === 0) return undefined;
  const judge = finishedJudge(names, heldOut, judges, signal);
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

/**
 * A judge of finished networks by the named outputs, which weigh alike; outputs that are 0 in all samples do not count, as any noise
 * is infinitely larger.
 */
export function finishedJudge(
  names: readonly string[],
  heldOut: Dataset,
  { float, open }: Judges,
  signal: AbortSignal | undefined,
): Judge<Graph> {
  const judged = new WeakMap<Graph, SqnrDb>();
  return async (graph) => {
    const before = judged.get(graph);
    if (before !== undefined) return before;
    const finished = await open(graph);
    try {
      const pairs = new Map(names.map((name) => [name, name]));
      const compared = { graph: finished.graph, float, quantized: finished.run, pairs };
      const power = await comparePower(compared, heldOut, { ...(signal && { signal }) });
      const shares = [...power.values()]
        .filter(({ signal: all }) => all > 0)
        .map(({ signal: all, noise }) => (noise === 0 ? 0 : noise / all));
      const sqnrDb = decibels(1, shares.reduce((sum, share) => sum + share, 0) / Math.max(shares.length, 1));
      judged.set(graph, sqnrDb);
      return sqnrDb;
    } finally {
      await finished.close();
    }
  };
}
