import { writeWireError } from '../../protocol/wire-error';
import { type Defaults, settingsOf } from '../settings';
import { modelKey } from '../supervisor/catalogue';
import type { Slot, SlotState } from '../system-paths';
import type { ModelSettings } from './served-model';
import type { WorkerLauncher } from './worker-launcher';

/** What serves models: a front. */
export interface Serving {
  load(settings: ModelSettings, launcher: WorkerLauncher): Promise<void>;
  unload(name: string, version: string): void;
}

interface Load {
  readonly slot: Slot;
  state: SlotState;
  /** It is not wanted any more: a load under way is undone. */
  isDropped: boolean;
}

/** The models of a front that a supervisor tells what to serve. */
export class SlotModels {
  private readonly serving: Serving;
  private readonly launcher: (slot: number) => WorkerLauncher;
  private readonly defaults: Defaults;
  private readonly changed: (states: readonly SlotState[]) => void;
  private readonly loads = new Map<number, Load>();
  /** By slot and by version: what has to be over before the next load of the same begins. */
  private readonly turns = new Map<string, Promise<unknown>>();

  /** @param changed told how all loads fare, whenever that changes */
  constructor(
    serving: Serving,
    launcher: (slot: number) => WorkerLauncher,
    defaults: Defaults,
    changed: (states: readonly SlotState[]) => void,
  ) {
    this.serving = serving;
    this.launcher = launcher;
    this.defaults = defaults;
    this.changed = changed;
  }

  /** Serves these from now on, and no others. Settles when those that are new are open or have failed; never rejects. */
  async follow(wanted: readonly Slot[]): Promise<void> {
    const serials = new Set(wanted.map(({ serial }) => serial));
    for (const [serial, load] of this.loads) {
      if (serials.has(serial)) continue;
      this.loads.delete(serial);
      load.isDropped = true;
      if (load.state.state === 'ready') this.serving.unload(load.slot.name, load.slot.version);
    }
    const begun = wanted.filter(({ serial }) => !this.loads.has(serial)).map((slot) => this.begin(slot));
    this.tell();
    await Promise.all(begun);
  }

  private begin(slot: Slot): Promise<void> {
    const load: Load = { slot, state: { serial: slot.serial, state: 'loading' }, isDropped: false };
    this.loads.set(slot.serial, load);
    const keys = [`slot ${slot.slot}`, modelKey(slot)];
    const turn = Promise.all(keys.map((key) => this.turns.get(key))).then(() => this.open(load));
    for (const key of keys) this.turns.set(key, turn);
    return turn;
  }

  private async open(load: Load): Promise<void> {
    if (load.isDropped) return;
    const { slot } = load;
    const { serial } = slot;
    try {
      await this.serving.load(settingsOf(slot, this.defaults), this.launcher(slot.slot));
      if (load.isDropped) this.serving.unload(slot.name, slot.version);
      load.state = { serial, state: 'ready' };
    } catch (error) {
      load.state = { serial, state: 'failed', error: writeWireError(error) };
    }
    if (!load.isDropped) this.tell();
  }

  private tell(): void {
    this.changed([...this.loads.values()].map(({ state }) => state));
  }
}
