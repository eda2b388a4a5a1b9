import type { Graph } from '../../ir/graph';
import type { EngineTarget } from '../target';
import { Budget, type Expense } from './budget';
import type { Dependencies } from './dependencies';
import type { UnitScores } from './unit-criteria';
import { type Offer, openQueue, type Queue } from './unit-queue';

/** What limits a choice. */
export interface ChoiceLimits {
  readonly target: EngineTarget;
  /** Channels leave a layer in steps of this many; undefined: as many at a time as pays best. */
  readonly multiple?: number;
  /** Least number of channels per layer, by node name. */
  readonly floors: ReadonlyMap<string, number>;
}

/** A step that was not taken: it would have left too little. */
export interface StepLeft {
  /** Layers that would have lost channels. */
  readonly layers: readonly string[];
  /** Channels, of the first of them. */
  readonly channels: number;
  /** MACs that it would have left. */
  readonly macs: number;
}

/** Units to remove. */
export interface UnitChoice {
  readonly units: Dependencies['groups'][number]['units'];
  /** Share of the worth of its units that goes with them, by group. */
  readonly lost: readonly number[];
  /** What will be left. */
  readonly left: Expense;
  /** The next step, where the choice ends short of the goal because every step leads too far below it. */
  readonly short?: StepLeft;
}

/** What a choice is to reach. */
export interface ChoiceGoal {
  /** MACs to leave, taken from the groups without an amount: at most this, and `NEAR` of it or more. */
  readonly macs?: number;
  /** Share of its units that a group gives up; undefined: as `macs` demands. */
  readonly amounts: readonly (number | undefined)[];
}

/** Share of a goal below which it is overshot. */
export const NEAR = 0.95;
/**
 * How much it counts that a step takes many MACs for the time that it saves (see `priceWith`). MACs to take are given, so that a step
 * that takes them where they cost little time leaves less to take where they cost much. Each of these is tried.
 */
const THRIFTS: readonly number[] = [0, 0.5, 1, 3];
/** Least share of the time that a step beyond the goal saves, beside its share of the MACs. */
const YIELD = 0.25;
/** Damage of the choice taken, at most, beside the least one. */
const DEARER = 1.4;

/**
 * The units whose loss costs least for the time that the target saves. Groups with an amount give up that share. Of the others,
 * step by step, the one goes whose units of least worth save most time for it: one unit or many, for a whole block of channels
 * may be what saves time. The last step is one that lands near the goal, where there is none units of other groups come back.
 * Several such choices are made, that spare MACs more and less and that end at the goal or at `NEAR` of it; the fastest is taken
 * of those that do not lose much more than the one that loses least.
 */
export function chooseUnits(
  graph: Graph,
  dependencies: Dependencies,
  scores: UnitScores,
  goal: ChoiceGoal,
  limits: ChoiceLimits,
): UnitChoice {
  const candidates = (goal.macs === undefined ? [0] : THRIFTS).flatMap((thrift) => {
    const budget = new Budget(graph, limits.target);
    const queues = dependencies.groups.map((_, index) =>
      openQueue(dependencies, index, scores[index], { ...limits, budget }),
    );
    goal.amounts.forEach((amount, index) => {
      if (amount !== undefined)
        queues[index].take(queues[index].sizeFor(amount * dependencies.groups[index].units.length));
    });
    const open = queues.filter((_, index) => goal.amounts[index] === undefined);
    const asItIs = (short?: StepLeft): Candidate => ({
      units: queues.flatMap((queue) => queue.taken()),
      lost: queues.map((queue) => queue.lost()),
      left: budget.total(),
      damage: queues.reduce((sum, queue) => sum + queue.damage(), 0),
      ...(short && { short }),
    });
    if (goal.macs === undefined) return [asItIs()];
    const price = priceWith(thrift);
    const reached = asItIs(descend(open, budget, goal.macs, price));
    return reached.left.macs <= goal.macs && spend(open, budget, goal.macs, price) ? [reached, asItIs()] : [reached];
  });
  // One that is short of the goal is only taken where no other gets there.
  const met = candidates.filter(({ left }) => goal.macs === undefined || left.macs <= goal.macs);
  const fit = met.length > 0 ? met : candidates;
  const most = DEARER * Math.min(...fit.map(({ damage }) => damage));
  return leastBy(
    fit.filter(({ damage }) => damage <= most),
    ({ left }) => left.time,
  )!;
}

/** A choice, and the damage that it does. */
interface Candidate extends UnitChoice {
  readonly damage: number;
}

/** A step that a queue offers. */
interface Bid extends Offer {
  readonly queue: Queue;
}

/** What several queues offer; a step makes only those anew whose savings it changes. */
class Market {
  private readonly queues: readonly Queue[];
  private readonly offers = new Map<Queue, readonly Bid[]>();

  constructor(queues: readonly Queue[]) {
    this.queues = queues;
  }

  /** The steps that may be next and save MACs. */
  bids(): Bid[] {
    return this.queues.flatMap((queue) => {
      const known = this.offers.get(queue);
      if (known) return known;
      const bids = queue.offers().flatMap((offer) => (offer.macs > 0 ? [{ ...offer, queue }] : []));
      this.offers.set(queue, bids);
      return bids;
    });
  }

  take({ queue, size }: Bid): void {
    queue.take(size);
    for (const other of this.queues) if (other.shares(queue)) this.offers.delete(other);
  }
}

/** Takes steps until the goal is reached or nothing more may go; the step left out where each leads too far below. */
function descend(queues: readonly Queue[], budget: Budget, goal: number, price: Price): StepLeft | undefined {
  const market = new Market(queues);
  for (let { macs: left } = budget.total(); left > goal; left = budget.total().macs) {
    const bids = market.bids();
    const cheapest = leastBy(bids, price);
    if (!cheapest) return undefined;
    const bid = left - cheapest.macs >= NEAR * goal ? cheapest : lastBid(bids, left, goal, price);
    if (!bid) {
      // Least below the goal first: what comes back for it need not be much.
      for (const each of bids.toSorted((a, b) => a.macs - b.macs))
        if (swaps(each, queues, budget, goal, price)) return undefined;
      const { queue, size, macs } = leastBy(bids, (each) => each.macs)!;
      return { layers: queue.layers, channels: size * queue.width, macs: left - macs };
    }
    market.take(bid);
  }
  return undefined;
}

/** Takes further steps that save time until MACs come to `NEAR` of the goal; whether there were any. */
function spend(queues: readonly Queue[], budget: Budget, goal: number, price: Price): boolean {
  const market = new Market(queues);
  for (let any = false; ; any = true) {
    const left = budget.total();
    const pays = ({ macs, time }: Bid) => time / left.time > (YIELD * macs) / left.macs;
    const best = leastBy(
      market.bids().filter((bid) => left.macs - bid.macs >= NEAR * goal && pays(bid)),
      price,
    );
    if (!best) return any;
    market.take(best);
  }
}

/** Where the cheapest step leads too far: the cheapest that lands near the goal, else the cheapest that stays above. */
function lastBid(bids: readonly Bid[], left: number, goal: number, price: Price): Bid | undefined {
  const after = ({ macs }: Bid) => left - macs;
  const near = bids.filter((bid) => after(bid) <= goal && after(bid) >= NEAR * goal);
  return (
    leastBy(near, price) ??
    leastBy(
      bids.filter((bid) => after(bid) > goal),
      price,
    )
  );
}

/**
 * Takes a step that leads too far and lets units of other groups come back for it, those worth most for their time. Whether that
 * ends near the goal; where it does not, nothing is changed.
 */
function swaps(bid: Bid, queues: readonly Queue[], budget: Budget, goal: number, price: Price): boolean {
  bid.queue.take(bid.size);
  const back: Bid[] = [];
  for (let { macs: left } = budget.total(); left < NEAR * goal; left = budget.total().macs) {
    const all = queues
      .filter((queue) => queue !== bid.queue)
      .flatMap((queue) => queue.returns().map((offer) => ({ ...offer, queue })))
      .filter(({ macs }) => macs > 0 && left + macs <= goal);
    const near = all.filter(({ macs }) => left + macs >= NEAR * goal);
    const best = leastBy(near.length > 0 ? near : all, (each) => -price(each));
    if (!best) break;
    best.queue.giveBack(best.size);
    back.push(best);
  }
  if (budget.total().macs >= NEAR * goal) return true;
  for (const { queue, size } of back.reverse()) queue.take(size);
  bid.queue.giveBack(bid.size);
  return false;
}

type Price = (bid: Bid) => number;

/** Worth per time saved, times MACs per time saved to the power of `thrift`; what saves no time comes last: it may still be needed. */
function priceWith(thrift: number): Price {
  return ({ worth, time, macs }) => (time > 0 ? (worth / time) * (macs / time) ** thrift : Number.MAX_VALUE);
}

/** The element with the least measure, the first of equal ones. */
function leastBy<T>(list: readonly T[], measure: (element: T) => number): T | undefined {
  let best: { element: T; size: number } | undefined;
  for (const element of list) {
    const size = measure(element);
    if (!best || size < best.size) best = { element, size };
  }
  return best?.element;
}
