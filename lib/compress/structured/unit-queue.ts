import type { Budget } from './budget';
import type { Dependencies, Group, Unit, UnitLayer } from './dependencies';

/** Units that a group may give up together, the least worth first. */
export interface Offer {
  /** Number of units. */
  readonly size: number;
  readonly worth: number;
  /** What they save, or cost again. */
  readonly macs: number;
  readonly time: number;
}

/** The units of a group in the order in which they go. */
export interface Queue {
  /** Layers that lose channels with its units. */
  readonly layers: readonly string[];
  /** Channels that a unit takes along, in the layer with most. */
  readonly width: number;
  /** The steps that may be next; empty when a layer would fall below its floor. */
  offers(): readonly Offer[];
  /** The number of units nearest to an amount of them, the smaller of two, that the steps and floors allow. */
  sizeFor(amount: number): number;
  /** The next `size` units go. */
  take(size: number): void;
  /** What it costs to have units again, the last that went first. */
  returns(): readonly Offer[];
  /** The last `size` units come back. */
  giveBack(size: number): void;
  taken(): readonly Unit[];
  /** Share of the worth of all units that has gone. */
  lost(): number;
  /** Worth that has gone, each part of it beside what was left then: the last units of a layer count for more than the first. */
  damage(): number;
  /** Whether steps of the two queues change what each other's save. */
  shares(other: Queue): boolean;
  /** Places of the nodes in the budget that the units take something from. */
  readonly touched: ReadonlySet<number>;
}

/** Most channels that one step looks ahead: a block of every kernel fits in. */
const LOOK_AHEAD = 64;

/** Channels that leave a layer of `extent` at a time: the multiple, or less where that would be more than half of the layer. */
export function stepFor(extent: number, multiple: number): number {
  let step = multiple;
  while (step > 1 && step * 2 > extent) step = Math.floor(step / 2);
  return step;
}

/** The queue of a group by the worth of its units (undefined: none may go). */
export function openQueue(
  { groups, layers }: Dependencies,
  index: number,
  scores: Float64Array | undefined,
  limits: { readonly budget: Budget; readonly multiple?: number; readonly floors: ReadonlyMap<string, number> },
): Queue {
  const group = groups[index];
  const { budget, multiple, floors } = limits;
  const own = layers.filter((layer) => layer.groups.includes(index));
  const widths = own.map((layer) => channelsPerUnit(layer, group));
  const width = Math.max(1, ...widths);
  const order = scores ? Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b] || a - b) : [];
  const step =
    multiple === undefined ? 1 : Math.max(1, Math.floor(stepFor(group.units.length * width, multiple) / width));
  const ahead = multiple === undefined ? Math.max(1, Math.floor(LOOK_AHEAD / width)) : step;
  const whole = order.reduce((sum, unit) => sum + scores![unit], 0);
  const touched = budget.touched(group.units.slice(0, 1));
  let taken = 0;
  const unitsFrom = (from: number, count: number) => order.slice(from, from + count).map((unit) => group.units[unit]);
  const worthOf = (from: number, count: number) =>
    order.slice(from, from + count).reduce((sum, unit) => sum + scores![unit], 0);
  /** Units that may still go. */
  const free = () => {
    if (own.length === 0) return 0;
    const most = own.map((layer, at) => {
      const least = Math.max(1, floors.get(layer.node.name) ?? 1);
      return Math.floor((budget.extent(layer.value, layer.axis) - least) / widths[at]);
    });
    return Math.max(0, Math.min(order.length - taken, ...most));
  };
  /** Steps of up to `most` units: of those that may go next, or of those that went, the last one first. */
  const priced = (most: number, forward: boolean): Offer[] => {
    const before = budget.sum(touched);
    const offers: Offer[] = [];
    let worth = 0;
    const [change, undo] = forward ? (['remove', 'restore'] as const) : (['restore', 'remove'] as const);
    const start = (size: number) => (forward ? taken + size - step : taken - size);
    for (let size = step; size <= most; size += step) {
      budget[change](unitsFrom(start(size), step));
      worth += worthOf(start(size), step);
      const after = budget.sum(touched);
      const [more, less] = forward ? [before, after] : [after, before];
      offers.push({ size, worth, macs: more.macs - less.macs, time: more.time - less.time });
    }
    for (const { size } of offers) budget[undo](unitsFrom(start(size), step));
    return offers;
  };
  return {
    layers: own.map(({ node }) => node.name),
    width,
    touched,
    offers: () => priced(Math.min(free(), ahead), true),
    returns: () => priced(Math.min(taken, ahead), false),
    sizeFor: (amount) => step * Math.min(Math.floor(free() / step), Math.ceil(amount / step - 0.5)),
    take(size) {
      budget.remove(unitsFrom(taken, size));
      taken += size;
    },
    giveBack(size) {
      taken -= size;
      budget.restore(unitsFrom(taken, size));
    },
    taken: () => unitsFrom(0, taken),
    lost: () => (whole > 0 ? worthOf(0, taken) / whole : 0),
    damage: () =>
      whole > 0 ? -whole * Math.log(1 - (worthOf(0, taken) / whole) * (order.length / (order.length + 1))) : 0,
    shares: (other) => [...touched].some((place) => other.touched.has(place)),
  };
}

/** Indices of a layer's axis that one unit of a group takes along. */
function channelsPerUnit({ value, axis }: UnitLayer, { units }: Group): number {
  return units[0].members.find((member) => member.value === value && member.axis === axis)?.indices.length ?? 0;
}
