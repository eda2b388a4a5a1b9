import { CoreBudget } from './core-budget';
import { goesBefore } from './model-queue';
import type { ServedModel } from './served-model';

/**
 * Starts the runs of all models within one budget of cores: whenever cores are free, the request that goes first, by priority and
 * then deadline, of those whose worker is free. A run takes the cores that are free, up to what its model wants.
 */
export class Scheduler {
  readonly cores: CoreBudget;
  private readonly models = new Set<ServedModel>();
  /** Cores that models hold, until no run of theirs is under way. */
  private readonly leases = new Map<ServedModel, number>();
  private isAsked = false;

  constructor(cores: number) {
    this.cores = new CoreBudget(cores);
  }

  add(model: ServedModel): void {
    this.models.add(model);
  }

  remove(model: ServedModel): void {
    this.models.delete(model);
  }

  /** Something has changed: requests came, or a worker is free. */
  readonly wake = (): void => {
    if (this.isAsked) return;
    this.isAsked = true;
    // Behind everything that this turn of the loop brings: requests that came together can share a batch.
    queueMicrotask(() => {
      this.isAsked = false;
      this.start();
    });
  };

  private start(): void {
    for (let next = this.next(({ canRun }) => canRun); next !== undefined; next = this.next(({ canRun }) => canRun)) {
      const cores = this.cores.take(next.settings.threads);
      // Others wait for cores: whoever holds some gives them back after this run.
      if (cores === 0) return;
      this.leases.set(next, cores);
      this.run(next, cores);
    }
    for (const [model, cores] of this.leases) if (model.canFollow) this.run(model, cores);
  }

  /** The model whose request goes first, of those that can. */
  private next(can: (model: ServedModel) => boolean): ServedModel | undefined {
    let next: ServedModel | undefined;
    for (const model of this.models)
      if (can(model) && (next === undefined || goesBefore(model.queue.head!, next.queue.head!))) next = model;
    return next;
  }

  private run(model: ServedModel, cores: number): void {
    void model.run(cores).finally(() => {
      if (model.running === 0 && this.leases.delete(model)) this.cores.release(cores);
      this.wake();
    });
  }
}
