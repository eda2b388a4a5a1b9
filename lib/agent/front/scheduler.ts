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
    while (this.cores.free > 0) {
      let next: ServedModel | undefined;
      for (const model of this.models)
        if (model.canRun && (next === undefined || goesBefore(model.queue.head!, next.queue.head!))) next = model;
      if (next === undefined) return;
      const cores = this.cores.take(next.settings.threads);
      next.run(cores).finally(() => {
        this.cores.release(cores);
        this.wake();
      });
    }
  }
}
