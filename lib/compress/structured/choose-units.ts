import type { Graph } from '../../ir/graph';
import type { Target } from '../target';
import { Budget, type Expense } from './budget';
import type { UnitScores } from './criteria';
import type { Dependencies } from './dependencies';
import { type Offer, openQueue, type Queue } from './unit-queue';

/** What limits a choice. */
export interface ChoiceLimits {
  readonly target: Target;
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
export interface Choice {
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
 * The units whose loss costs least for the time that the target saves. Groups with an amount give up that share. Of the others,
 * step by step, the one goes whose units of least worth save most time for it: one unit or many, for a whole block of channels
 * may be what saves time. The last step is one that lands near the goal, where there is none units of other groups come back.
 */
export function chooseUnits(
  graph: Graph,
  dependencies: Dependencies,
  scores: UnitScores,
  goal: ChoiceGoal,
  limits: ChoiceLimits,
): Choice {
  const budget = new Budget(graph, limits.target);
  const queues = dependencies.groups.map((_, index) =>
    openQueue(dependencies, index, scores[index], { ...limits, budget }),
  );
  goal.amounts.forEach((amount, index) => {
    if (amount !== undefined)
      queues[index].take(queues[index].sizeFor(amount * dependencies.groups[index].units.length));
  });
  const open = queues.filter((_, index) => goal.amounts[index] === undefined);
  const short = goal.macs === undefined ? undefined : descend(open, budget, goal.macs);
  return {
    units: queues.flatMap((queue) => queue.taken()),
    lost: queues.map((queue) => queue.lost()),
    left: budget.total(),
    ...(short && { short }),
  };
}

/** A step that a queue offers. */
interface Bid extends Offer {
  readonly queue: Queue;
}

/** Takes steps until the goal is reached or nothing more may go; the step left out where each leads too far below. */
function descend(queues: readonly Queue[], budget: Budget, goal: number): StepLeft | undefined {
  const offers = new Map<Queue, readonly Bid[]>();
  for (let { macs: left } = budget.total(); left > goal; left = budget.total().macs) {
    for (const queue of queues)
      if (!offers.has(queue))
        offers.set(
          queue,
          queue.offers().map((offer) => ({ ...offer, queue })),
        );
    const bids = [...offers.values()].flat().filter(({ macs }) => macs > 0);
    const cheapest = leastBy(bids, price);
    if (!cheapest) return undefined;
    const bid = left - cheapest.macs >= NEAR * goal ? cheapest : lastBid(bids, left, goal);
    if (!bid) {
      // Least below the goal first: what comes back for it need not be much.
      for (const each of bids.toSorted((a, b) => a.macs - b.macs))
        if (swaps(each, queues, budget, goal)) return undefined;
      const { queue, size, macs } = leastBy(bids, (each) => each.macs)!;
      return { layers: queue.layers, channels: size * queue.width, macs: left - macs };
    }
    bid.queue.take(bid.size);
    for (const queue of queues) if (queue.shares(bid.queue)) offers.delete(queue);
  }
  return undefined;
}

/** Where the cheapest step leads too far: the cheapest that lands near the goal, else the cheapest that stays above. */
function lastBid(bids: readonly Bid[], left: number, goal: number): Bid | undefined {
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
function swaps(bid: Bid, queues: readonly Queue[], budget: Budget, goal: number): boolean {
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

/** Worth per time saved; what saves MACs but no time comes last: it may still be needed. */
function price({ worth, time }: Bid): number {
  return time > 0 ? worth / time : Number.MAX_VALUE;
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
