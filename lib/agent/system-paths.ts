import { join } from 'node:path';
import type { WireError } from '../protocol/wire-error';
import type { CatalogueEntry } from './supervisor/catalogue';

/** Slots for workers: as many versions can be served at once. Their sockets are made when the machine starts. */
export const SLOTS = 8;

/** A version that is to be served, and the slot whose worker runs it. The supervisor writes it, the front reads it. */
export interface Slot extends Omit<CatalogueEntry, 'plan' | 'loaded'> {
  readonly slot: number;
  /** Number of this load: no other has it. */
  readonly serial: number;
}

/** What the supervisor tells the front: `front.json`. */
export interface WantedSlots {
  /** The highest number that a load has had. */
  readonly serial: number;
  readonly slots: readonly Slot[];
}

/** How a load fares: the front writes it, the supervisor reads it. */
export interface SlotState {
  readonly serial: number;
  readonly state: 'loading' | 'ready' | 'failed';
  /** Why it failed. */
  readonly error?: WireError;
}

/** What the front tells the supervisor: `front/state.json`. */
export interface ToldSlots {
  readonly slots: readonly SlotState[];
}

/** Where the processes of an agent that systemd runs meet. */
export interface SystemPaths {
  /** The supervisor's socket. */
  readonly supervisor: string;
  /** `WantedSlots`, in a folder where the supervisor alone may write. */
  readonly wanted: string;
  /** `ToldSlots`, in a folder where the front alone may write. */
  readonly told: string;
  /** Where the front tells the supervisor how the agent fares. */
  readonly front: string;
  /** The socket of a slot. */
  worker(slot: number): string;
}

/** Control group that systemd makes of all workers; a group of each lies in it. */
export const WORKERS_GROUP = '/sys/fs/cgroup/system.slice/system-hone\\x2dworker.slice';

/** Folder of the control group of a slot's worker, in that of all. */
export function slotGroup(workers: string, slot: number): string {
  return join(workers, `hone-worker@${slot}.service`);
}

/** @param runtime folder that lasts as long as the machine runs */
export function systemPaths(runtime: string): SystemPaths {
  return {
    supervisor: join(runtime, 'supervisor.sock'),
    wanted: join(runtime, 'front.json'),
    told: join(runtime, 'front', 'state.json'),
    front: join(runtime, 'front', 'status.sock'),
    worker: (slot) => join(runtime, 'workers', `${slot}.sock`),
  };
}

/** Folder of what lasts as long as the machine runs. */
export const RUNTIME_FOLDER = '/run/hone';
