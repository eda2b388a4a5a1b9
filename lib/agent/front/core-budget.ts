/** The cores of this machine that inferences may take, over all models: each run holds what it was granted until it ends. */
export class CoreBudget {
  readonly total: number;
  private taken = 0;

  /** @param total cores, 1 or more */
  constructor(total: number) {
    this.total = total;
  }

  get free(): number {
    return this.total - this.taken;
  }

  /** Grants as many of the cores wanted as are free: 0 to `wanted`. Give them back with `release`. */
  take(wanted: number): number {
    const granted = Math.min(wanted, this.free);
    this.taken += granted;
    return granted;
  }

  release(cores: number): void {
    this.taken -= cores;
  }
}
