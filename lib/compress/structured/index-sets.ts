import type { Dim } from '../../ir/graph';

/** Indices of one axis of a value (constant or activation) that belong to a unit. */
export interface Member {
  readonly value: string;
  readonly axis: number;
  readonly indices: readonly number[];
}

/**
 * Disjoint sets of the indices of all axes with known extents (union-find with path halving). Sets that contain a fixed index
 * are fixed as a whole and keep the first reason that was given.
 */
export class IndexSets {
  private readonly parents: number[] = [];
  private readonly reasons = new Map<number, string>();
  private readonly axes = new Map<
    string,
    readonly ({ readonly start: number; readonly extent: number } | undefined)[]
  >();

  private readonly shapeOf: (value: string) => readonly Dim[] | undefined;

  constructor(shapeOf: (value: string) => readonly Dim[] | undefined) {
    this.shapeOf = shapeOf;
  }

  rank(value: string): number {
    return this.axesOf(value).length;
  }

  /** Whether an axis of a value is there and its extent a number. */
  has(value: string, axis: number): boolean {
    return this.axesOf(value)[axis] !== undefined;
  }

  extent(value: string, axis: number): number {
    return this.axesOf(value)[axis]?.extent ?? 0;
  }

  /** Index `i` of the first axis belongs to index `map(i)` of the second. */
  tie(a: string, axisA: number, b: string, axisB: number, map: (index: number) => number | undefined): void {
    const [from, to] = [this.axesOf(a)[axisA]!, this.axesOf(b)[axisB]!];
    for (let index = 0; index < from.extent; index++) {
      const target = map(index);
      if (target !== undefined && target < to.extent) this.unite(from.start + index, to.start + target);
    }
  }

  fixAxis(value: string, axis: number, reason: string): void {
    const place = this.axesOf(value)[axis];
    if (!place) return;
    for (let index = 0; index < place.extent; index++) {
      const set = this.find(place.start + index);
      if (!this.reasons.has(set)) this.reasons.set(set, reason);
    }
  }

  fixValue(value: string, reason: string): void {
    for (let axis = 0; axis < this.rank(value); axis++) this.fixAxis(value, axis, reason);
  }

  /** Whether no index of an axis is free. */
  isFixed(value: string, axis: number): boolean {
    return this.free(value, axis).length === 0;
  }

  /** Sets of the free indices of an axis. */
  free(value: string, axis: number): number[] {
    const place = this.axesOf(value)[axis];
    if (!place) return [];
    const sets = Array.from({ length: place.extent }, (_, index) => this.find(place.start + index));
    return [...new Set(sets)].filter((set) => !this.reasons.has(set));
  }

  /** Why the first fixed index of an axis is fixed; undefined when all are free. */
  reason(value: string, axis: number): string | undefined {
    const place = this.axesOf(value)[axis]!;
    for (let index = 0; index < place.extent; index++) {
      const reason = this.reasons.get(this.find(place.start + index));
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** The indices in each of the sets, in the order in which axes were met; sets in the order of their first index. */
  members(sets: ReadonlySet<number>): Map<number, Member[]> {
    const members = new Map<number, Member[]>();
    for (const [value, axes] of this.axes)
      axes.forEach((place, axis) => {
        if (!place) return;
        const here = new Map<number, number[]>();
        for (let index = 0; index < place.extent; index++) {
          const set = this.find(place.start + index);
          if (!sets.has(set)) continue;
          const list = here.get(set);
          if (list) list.push(index);
          else here.set(set, [index]);
        }
        for (const [set, indices] of here) {
          const list = members.get(set);
          if (list) list.push({ value, axis, indices });
          else members.set(set, [{ value, axis, indices }]);
        }
      });
    return members;
  }

  private axesOf(value: string) {
    const known = this.axes.get(value);
    if (known) return known;
    const axes = (value === '' ? [] : (this.shapeOf(value) ?? [])).map((extent) => {
      if (typeof extent !== 'number') return undefined;
      const start = this.parents.length;
      for (let index = 0; index < extent; index++) this.parents.push(start + index);
      return { start, extent };
    });
    this.axes.set(value, axes);
    return axes;
  }

  private find(index: number): number {
    const { parents } = this;
    let at = index;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]];
      at = parents[at];
    }
    return at;
  }

  private unite(a: number, b: number): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first === second) return;
    const [root, child] = first < second ? [first, second] : [second, first];
    this.parents[child] = root;
    const reason = this.reasons.get(child);
    if (reason !== undefined && !this.reasons.has(root)) this.reasons.set(root, reason);
  }
}
