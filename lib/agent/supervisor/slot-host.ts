import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { connectSupervisor } from '../../client/supervisor-client';
import { HoneError } from '../../core/error';
import { readWireError } from '../../protocol/wire-error';
import { replaceFile } from '../replace-file';
import { SLOTS, type Slot, type SlotState, type SystemPaths, type ToldSlots, type WantedSlots } from '../system-paths';
import { watchFile } from '../watch-file';
import { type CatalogueEntry, modelKey } from './catalogue';
import type { LastingHost, ModelHost } from './supervisor';

/** How long the front may take to tell that a plan is open, and that it is closed, in milliseconds. */
const OPEN_LIMIT_MS = 200_000;
const CLOSE_LIMIT_MS = 5000;
/** Bytes of two files that are compared at once. */
const CHUNK_BYTES = 1 << 18;
const PLAN = 'model.plan';

/**
 * Serves versions in slots, whose workers systemd starts: each has a copy of its plan in a folder of its own, and the front is told
 * by a file which slots it should use. What is served outlives the supervisor, whose memory that file is.
 */
export class SlotHost implements ModelHost {
  readonly lasting: LastingHost = {
    retain: (entries) => this.retain(entries),
    resume: async (entry) => void (await this.place(entry, true)),
    faults: () => this.faults(),
  };
  private readonly folder: string;
  private readonly paths: SystemPaths;
  private readonly openLimitMs: number;

  /** @param folder where plans lie for workers, which nobody else may enter: they get theirs as an open file */
  constructor(folder: string, paths: SystemPaths, openLimitMs = OPEN_LIMIT_MS) {
    this.folder = folder;
    this.paths = paths;
    this.openLimitMs = openLimitMs;
  }

  /** @throws E_SLOTS_FULL, E_AGENT_UNREACHABLE without a front; what opening its plan throws */
  async load(entry: CatalogueEntry): Promise<void> {
    await this.reachFront();
    const { serial } = await this.place(entry, false);
    try {
      const told = await this.untilTold(
        serial,
        (state) => state !== undefined && state.state !== 'loading',
        this.openLimitMs,
      );
      if (told === undefined)
        throw new HoneError('E_WORKER_START', {
          reason: `the front has not told in ${this.openLimitMs / 1000} s how it fares`,
        });
      if (told.state === 'failed') throw readWireError(told.error, 'the front failed without a reason');
    } catch (error) {
      await this.remove((slot) => slot.serial === serial);
      throw error;
    }
  }

  async unload(name: string, version: string): Promise<void> {
    const key = modelKey({ name, version });
    const { slots } = await this.wanted();
    await this.remove((slot) => modelKey(slot) === key);
    // A front that is away serves nothing, and will not when it is back.
    if ((await this.reachFront().catch((error: HoneError) => error)) instanceof HoneError) return;
    for (const { serial } of slots.filter((slot) => modelKey(slot) === key))
      await this.untilTold(serial, (state) => state === undefined, CLOSE_LIMIT_MS);
  }

  /** @throws E_AGENT_UNREACHABLE where no front runs */
  private async reachFront(): Promise<void> {
    (await connectSupervisor(this.paths.front)).close();
  }

  private async retain(entries: readonly CatalogueEntry[]): Promise<void> {
    const keys = new Set(entries.map(modelKey));
    await this.remove((slot) => !keys.has(modelKey(slot)));
    // What a copy left that was broken off. Whole plans stay: after a start of the machine they are found where they were.
    for (const name of await readdir(this.folder).catch(() => []))
      await rm(join(this.folder, name, `${PLAN}.part`), { force: true });
  }

  private async faults(): Promise<ReadonlyMap<string, string>> {
    const [{ slots }, told] = await Promise.all([this.wanted(), this.told()]);
    const faults = slots.flatMap((slot): [string, string][] => {
      const { state = 'loading', error } = told.get(slot.serial) ?? {};
      if (state === 'ready') return [];
      const reason = state === 'failed' ? readWireError(error, 'the front failed without a reason').message : 'loading';
      return [[modelKey(slot), reason]];
    });
    return new Map(faults);
  }

  /**
   * Gives a version its slot.
   * @param isKept whether one that has a slot and its plan is left alone
   * @throws E_SLOTS_FULL, E_FILE_WRITE
   */
  private async place(entry: CatalogueEntry, isKept: boolean): Promise<Slot> {
    const { serial, slots } = await this.wanted();
    const held = slots.find((slot) => modelKey(slot) === modelKey(entry));
    const plan = String(entry.plan);
    if (isKept && held !== undefined && (await sizeOf(this.planIn(held.slot))) !== undefined) return held;
    const used = new Set(slots.map(({ slot }) => slot));
    const free = held === undefined ? [...Array(SLOTS).keys()].filter((slot) => !used.has(slot)) : [held.slot];
    if (free.length === 0)
      throw new HoneError('E_SLOTS_FULL', {
        ...{ model: entry.name, limit: SLOTS },
        taken: slots.map(({ name, version }) => `${name} version ${version}`).join(', '),
      });
    const slot = await this.fill(free, plan);
    const { plan: _, loaded: __, ...how } = entry;
    const placed: Slot = { ...how, slot, serial: serial + 1 };
    await this.write({ serial: serial + 1, slots: [...slots.filter((other) => other !== held), placed] });
    return placed;
  }

  /** Puts a plan into one of the free slots: where it is already, if any holds it, since flash wears out by writing. */
  private async fill(free: readonly number[], plan: string): Promise<number> {
    for (const slot of free) if (await isSame(this.planIn(slot), plan)) return slot;
    const [slot] = free;
    const path = this.planIn(slot);
    const partial = `${path}.part`;
    try {
      await mkdir(join(this.folder, String(slot)), { recursive: true, mode: 0o700 });
      // No link: the rights belong to the file, not to its name, and what writes over the one of the catalogue would break a worker.
      await copyFile(plan, partial, constants.COPYFILE_FICLONE);
      // Nobody reaches it by its path: the folders are closed. A worker opens what systemd holds open for it.
      await chmod(partial, 0o444);
      const file = await open(partial, 'r');
      await file.sync().finally(() => file.close());
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {});
      throw new HoneError('E_FILE_WRITE', { path, reason: (error as Error).message }, { cause: error });
    }
    return slot;
  }

  private planIn(slot: number): string {
    return join(this.folder, String(slot), PLAN);
  }

  private async remove(goes: (slot: Slot) => boolean): Promise<void> {
    const { serial, slots } = await this.wanted();
    const kept = slots.filter((slot) => !goes(slot));
    if (kept.length < slots.length) await this.write({ serial, slots: kept });
    for (const { slot } of slots.filter(goes)) await rm(this.planIn(slot), { force: true });
  }

  /** What it has told the front; nothing where that is not there or not as it should be: the catalogue tells it again. */
  private async wanted(): Promise<WantedSlots> {
    const found = await readJson(this.paths.wanted);
    return isWanted(found) ? found : { serial: await this.lastSerial(), slots: [] };
  }

  /** No number that the front knows may be given again. */
  private async lastSerial(): Promise<number> {
    return Math.max(0, ...(await this.told()).keys());
  }

  private write(wanted: WantedSlots): Promise<void> {
    return replaceFile(this.paths.wanted, `${JSON.stringify(wanted, null, 1)}\n`);
  }

  private async told(): Promise<ReadonlyMap<number, SlotState>> {
    const found = (await readJson(this.paths.told)) as Partial<ToldSlots> | null | undefined;
    const states = Array.isArray(found?.slots) ? (found.slots as readonly (SlotState | null)[]) : [];
    return new Map(states.flatMap((state) => (Number.isSafeInteger(state?.serial) ? [[state!.serial, state!]] : [])));
  }

  /** What the front tells of a load once that fits; undefined where it tells nothing, or after the limit. */
  private untilTold(
    serial: number,
    fits: (state: SlotState | undefined) => boolean,
    limitMs: number,
  ): Promise<SlotState | undefined> {
    return new Promise((resolve, reject) => {
      const end = (state: SlotState | undefined) => {
        clearTimeout(limit);
        unwatch();
        resolve(state);
      };
      const look = () =>
        this.told().then((told) => {
          const state = told.get(serial);
          if (fits(state)) end(state);
        }, reject);
      const unwatch = watchFile(this.paths.told, look);
      const limit = setTimeout(() => end(undefined), limitMs);
      void look();
    });
  }
}

function isWanted(found: unknown): found is WantedSlots {
  const { serial, slots } = (found ?? {}) as Partial<WantedSlots>;
  if (!Number.isSafeInteger(serial) || !Array.isArray(slots)) return false;
  const numbers = slots.map((slot: Partial<Slot> | null) => slot?.slot);
  return (
    numbers.every((slot) => isSlot(slot)) &&
    new Set(numbers).size === numbers.length &&
    slots.every(
      (slot: Slot) =>
        Number.isSafeInteger(slot.serial) &&
        slot.serial <= serial! &&
        typeof slot.name === 'string' &&
        typeof slot.version === 'string',
    )
  );
}

function isSlot(slot: unknown): boolean {
  return Number.isInteger(slot) && Number(slot) >= 0 && Number(slot) < SLOTS;
}

/** The JSON of a file; undefined where there is none. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** Whether two files hold the same bytes; times and names say nothing of that. */
async function isSame(path: string, other: string): Promise<boolean> {
  const size = await sizeOf(path);
  if (size === undefined || size !== (await sizeOf(other))) return false;
  const files = await Promise.all([open(path), open(other)]);
  try {
    const [one, two] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (let at = 0; at < size; ) {
      const [read, same] = await Promise.all([
        files[0].read(one, 0, CHUNK_BYTES, at),
        files[1].read(two, 0, CHUNK_BYTES, at),
      ]);
      if (read.bytesRead === 0 || read.bytesRead !== same.bytesRead) return false;
      if (one.compare(two, 0, read.bytesRead, 0, read.bytesRead) !== 0) return false;
      at += read.bytesRead;
    }
    return true;
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}
