import type { Graph } from '../../ir/graph';
import { Budget } from './budget';
import type { Dependencies, Group, Layer, Unit } from './dependencies';
import type { UnitScores } from './unit-scores';

/** What limits a choice. */
export interface ChoiceLimits {
  /** Channels leave in steps of this many. */
  readonly multiple: number;
  /** Least number of channels per layer, by node name. */
  readonly floors: ReadonlyMap<string, number>;
  /** Measured time per node. */
  readonly times?: Readonly<Record<string, number>>;
}

/** Units to remove. */
export interface Choice {
  readonly units: readonly Unit[];
  /** Share of the worth of its units that goes with them, by group. */
  readonly lost: readonly number[];
  /** MACs that will be left. */
  readonly macs: number;
}

/** Channels that leave a layer of `extent` at a time: the multiple, or less where that would be more than half of the layer. */
export function stepFor(extent: number, multiple: number): number {
  let step = multiple;
  while (step > 1 && step * 2 > extent) step = Math.floor(step / 2);
  return step;
}

/** What a choice is to reach. */
export interface ChoiceGoal {
  /** MACs to leave at most, taken from the groups without an amount. */
  readonly macs?: number;
  /** Share of its units that a group gives up; undefined: as `macs` demands. */
  readonly amounts: readonly (number | undefined)[];
}

/**
 * The units whose loss costs least for what it saves. Groups with an amount give up about that share, in whole steps. From the
 * others, step by step, that of least worth per cost saved gives up its least units until the goal is reached or nothing more
 * may go.
 */
export function chooseUnits(
  graph: Graph,
  dependencies: Dependencies,
  scores: UnitScores,
  goal: ChoiceGoal,
  limits: ChoiceLimits,
): Choice {
  const budget = new Budget(graph, dependencies, limits.multiple, limits.times);
  const queues = dependencies.groups.map((group, index) => queueOf(group, index, dependencies, scores[index], limits));
  const chosen: Unit[] = [];
  const take = (queue: Queue, step: Step) => {
    budget.remove(step.units);
    chosen.push(...step.units);
    queue.take(step);
  };
  goal.amounts.forEach((amount, index) => {
    if (amount === undefined) return;
    const most = amount * dependencies.groups[index].units.length;
    let count = 0;
    for (let step = queues[index].next(budget); step; step = queues[index].next(budget)) {
      if (count + step.units.length / 2 > most) break;
      count += step.units.length;
      take(queues[index], step);
    }
  });
  const open = queues.filter((_, index) => goal.amounts[index] === undefined);
  for (let left = budget.macs(); left > (goal.macs ?? Number.POSITIVE_INFINITY); ) {
    const best = cheapest(open, budget);
    if (!best) break;
    take(best.queue, best.step);
    left -= best.macs;
  }
  return { units: chosen, lost: queues.map((queue) => queue.lost()), macs: budget.macs() };
}

/** The next step of least worth per cost saved; what saves MACs but no cost comes last: it may still be needed. */
function cheapest(queues: readonly Queue[], budget: Budget): { queue: Queue; step: Step; macs: number } | undefined {
  let best: { queue: Queue; step: Step; macs: number; price: number } | undefined;
  for (const queue of queues) {
    const step = queue.next(budget);
    if (!step) continue;
    const { macs, cost } = budget.saving(step.units);
    const price = cost > 0 ? step.worth / cost : Number.MAX_VALUE;
    if (macs > 0 && (!best || price < best.price)) best = { queue, step, macs, price };
  }
  return best;
}

interface Step {
  readonly units: readonly Unit[];
  readonly worth: number;
}

/** The units of a group, the least worth first. */
interface Queue {
  /** The units that would go next; undefined when a layer would fall below its floor. */
  next(budget: Budget): Step | undefined;
  take(step: Step): void;
  lost(): number;
}

function queueOf(
  group: Group,
  index: number,
  { layers }: Dependencies,
  scores: Float64Array | undefined,
  { multiple, floors }: ChoiceLimits,
): Queue {
  const own = layers.filter((layer) => layer.groups.includes(index));
  if (!scores || own.length === 0) return { next: () => undefined, take: () => undefined, lost: () => 0 };
  const order = Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b] || a - b);
  const width = Math.max(...own.map((layer) => channelsPerUnit(layer, group)));
  const size = Math.max(1, Math.floor(stepFor(group.units.length * width, multiple) / width));
  const whole = scores.reduce((sum, score) => sum + score, 0);
  let [taken, worth] = [0, 0];
  return {
    next(budget) {
      const picked = order.slice(taken, taken + size);
      if (picked.length < size) return undefined;
      const fits = own.every((layer) => {
        const left = budget.extent(layer.value, layer.axis) - size * channelsPerUnit(layer, group);
        return left >= Math.max(1, floors.get(layer.node.name) ?? 1);
      });
      if (!fits) return undefined;
      return {
        units: picked.map((unit) => group.units[unit]),
        worth: picked.reduce((sum, unit) => sum + scores[unit], 0),
      };
    },
    take(step) {
      taken += step.units.length;
      worth += step.worth;
    },
    lost: () => (whole > 0 ? worth / whole : 0),
  };
}

/** Indices of a layer's axis that one unit of a group takes along. */
function channelsPerUnit({ value, axis }: Layer, { units }: Group): number {
  return units[0].members.find((member) => member.value === value && member.axis === axis)?.indices.length ?? 0;
}
